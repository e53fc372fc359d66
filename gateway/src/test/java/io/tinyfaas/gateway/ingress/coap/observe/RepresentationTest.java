package io.tinyfaas.gateway.ingress.coap.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.result.LastResult;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RepresentationTest {

  private static Representation of(int status, String body, String... headers) {
    return new Representation(LastResult.of(answered(status, body, headers), 1).orElseThrow());
  }

  private static Answered answered(int status, String body, String... headers) {
    MultiMap map = HttpHeaders.headers();
    for (int i = 0; i < headers.length; i += 2) {
      map.set(headers[i], headers[i + 1]);
    }
    return new Answered(status, map, body.getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 201, 202, 299})
  void shouldBeContentWhateverTheStatusWas(int status) {
    Response response = of(status, "x", "Location", "/y").answer(new OptionSet());
    assertThat(response.getCode()).isEqualTo(ResponseCode.CONTENT);
    assertThat(response.getPayloadString()).isEqualTo("x");
    assertThat(response.getOptions().getLocationPathCount()).isZero();
    assertThat(response.getOptions().hasMaxAge()).isFalse();
  }

  @Test
  void shouldHaveTheStatesTag() {
    assertThat(of(200, "x").answer(new OptionSet()).getOptions().getETags())
        .containsExactly(new byte[] {0, 0, 0, 1});
    assertThat(of(200, "x", "ETag", "\"a1\"").answer(new OptionSet()).getOptions().getETags())
        .containsExactly("a1".getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void shouldKeepTheMaxAgeThatTheFunctionSays() {
    OptionSet options =
        of(200, "x", "Cache-Control", "max-age=7").answer(new OptionSet()).getOptions();
    assertThat(options.getMaxAge()).isEqualTo(7);
  }
}
