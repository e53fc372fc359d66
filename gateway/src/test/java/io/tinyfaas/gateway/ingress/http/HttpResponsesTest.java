package io.tinyfaas.gateway.ingress.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.ingress.http.HttpResponses.Response;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.BadAnswer;
import io.tinyfaas.gateway.invoke.InvocationResult.BadRequest;
import io.tinyfaas.gateway.invoke.InvocationResult.NoHandler;
import io.tinyfaas.gateway.invoke.InvocationResult.NoRouteTable;
import io.tinyfaas.gateway.invoke.InvocationResult.Overloaded;
import io.tinyfaas.gateway.invoke.InvocationResult.PeerOverloaded;
import io.tinyfaas.gateway.invoke.InvocationResult.Stopping;
import io.tinyfaas.gateway.invoke.InvocationResult.TimedOut;
import io.tinyfaas.gateway.invoke.InvocationResult.Unauthorized;
import io.tinyfaas.gateway.invoke.InvocationResult.UnknownFunction;
import io.vertx.core.MultiMap;
import io.vertx.core.json.JsonObject;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpResponsesTest {

  static Stream<Arguments> outcomes() {
    return Stream.of(
        Arguments.of(new NoRouteTable(), 503, "no-route-table", "1"),
        Arguments.of(new UnknownFunction(), 404, "unknown-function", null),
        Arguments.of(new Unauthorized(), 403, "devices-only", null),
        Arguments.of(new NoHandler(), 503, "no-handler", "2"),
        Arguments.of(new Overloaded(), 503, "overloaded", "1"),
        Arguments.of(new PeerOverloaded(), 429, "too-many-of-address", "1"),
        Arguments.of(new TimedOut(), 504, "timeout", null),
        Arguments.of(new Stopping(), 503, "stopping", "1"),
        Arguments.of(new BadRequest("a \"header\""), 400, "bad-request", null),
        Arguments.of(new BadAnswer("it broke \"off\""), 502, "bad-answer", null));
  }

  @ParameterizedTest
  @MethodSource("outcomes")
  void shouldSayAnOutcomeAsAProblem(
      InvocationResult outcome, int status, String type, String retryAfter) {
    Response response = HttpResponses.toResponse("/f/\"x", outcome);

    assertThat(response.status()).isEqualTo(status);
    assertThat(response.headers().get("content-type")).isEqualTo("application/problem+json");
    assertThat(response.headers().get("retry-after")).isEqualTo(retryAfter);
    JsonObject problem = response.body().toJsonObject();
    assertThat(problem.getString("type")).isEqualTo("urn:tinyfaas:problem:" + type);
    assertThat(problem.getInteger("status")).isEqualTo(status);
    assertThat(problem.getString("instance")).isEqualTo("/f/\"x");
    assertThat(problem.getString("title")).isNotBlank();
    assertThat(problem.getString("detail")).isNotBlank();
  }

  @Test
  void shouldPassAnAnswerBackWithoutFieldsOfTheConnection() {
    MultiMap headers =
        MultiMap.caseInsensitiveMultiMap()
            .add("Content-Type", "text/plain")
            .add("Set-Cookie", "a=1")
            .add("Set-Cookie", "b=2")
            .add("Connection", "keep-alive, X-Hop")
            .add("Keep-Alive", "timeout=5")
            .add("X-Hop", "1")
            .add("Transfer-Encoding", "chunked")
            .add("Content-Length", "7");

    Response response =
        HttpResponses.toResponse("/f", new Answered(500, headers, new byte[] {1, 2}));

    assertThat(response.status()).isEqualTo(500);
    assertThat(response.headers().names()).containsExactlyInAnyOrder("Content-Type", "Set-Cookie");
    assertThat(response.headers().getAll("set-cookie")).containsExactly("a=1", "b=2");
    assertThat(response.body().getBytes()).containsExactly(1, 2);
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 101, 199, 600, 999})
  void shouldRefuseAStatusThatIsNone(int status) {
    Answered answer = new Answered(status, MultiMap.caseInsensitiveMultiMap(), new byte[0]);

    assertThat(HttpResponses.toResponse("/f", answer).status()).isEqualTo(502);
  }
}
