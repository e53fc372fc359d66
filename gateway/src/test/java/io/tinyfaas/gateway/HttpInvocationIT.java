package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** HTTP in, a handler's answer out, on the packaged gateway. */
class HttpInvocationIT extends HttpCalls {

  @ParameterizedTest
  @ValueSource(strings = {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"})
  void shouldTellTheHandlerWhatWasAsked(String method) throws IOException {
    String answer =
        exchange(
            method
                + " /f/headers?x=1&y=%26%20 HTTP/1.1\r\nHost: box:8000\r\nX-Own: a\r\nX-Own: b\r\n"
                + "Authorization: Basic eA==\r\nX-tinyFaaS-Peer: forged\r\nX-tinyFaaS-New: forged\r\n"
                + "Connection: close, X-Mine\r\nX-Mine: hop\r\nTE: trailers\r\n"
                + "Proxy-Authorization: secret\r\nContent-Length: 0\r\n\r\n");

    assertThat(answer)
        .startsWith("HTTP/1.1 200 OK\r\n")
        .contains("x-tinyfaas-method: " + method + "\n")
        .contains("x-tinyfaas-path: /headers\n")
        .contains("x-tinyfaas-query: x=1&y=%26%20")
        .contains("x-tinyfaas-protocol: http\n")
        .containsPattern("x-tinyfaas-peer: 127.0.0.1:\\d+\n")
        .contains("host: box:8000\n", "x-own: a\nx-own: b\n", "authorization: Basic eA==\n")
        .contains("content-length: 0\n")
        .doesNotContain("forged", "x-mine", "\nte: ", "secret", "close, ");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1_000, MAX_BODY})
  void shouldPassBodiesBothWays(int size) throws Exception {
    byte[] body = new byte[size];
    new Random(size).nextBytes(body);

    HttpResponse<byte[]> whole =
        client.send(
            to("/f/echo").POST(BodyPublishers.ofByteArray(body)).build(),
            BodyHandlers.ofByteArray());
    HttpResponse<byte[]> chunked =
        client.send(
            to("/f/echo").POST(BodyPublishers.ofByteArrays(List.of(body))).build(),
            BodyHandlers.ofByteArray());

    assertThat(whole.statusCode()).isEqualTo(200);
    assertThat(whole.body()).isEqualTo(body);
    assertThat(chunked.body()).isEqualTo(body);
    assertThat(whole.headers().firstValue("Date")).isPresent();
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 201, 299, 302, 400, 404, 418, 429, 500, 503, 599})
  void shouldPassStatusHeadersAndBodyBack(int status) {
    HttpResponse<String> answer =
        send(to("/f/status?" + status).POST(BodyPublishers.ofString("body")));

    assertThat(answer.statusCode()).isEqualTo(status);
    assertThat(answer.body()).isEqualTo("body");
    assertThat(answer.headers().firstValue("X-Of-Function")).hasValue("yes");
    assertThat(answer.headers().firstValue("Keep-Alive")).isEmpty();
  }

  @Test
  void shouldSayWhatIsWrongAsAProblem() {
    HttpResponse<String> unknown = send(to("/nobody/x?y=1"));
    assertThat(unknown.statusCode()).isEqualTo(404);
    assertThat(unknown.headers().firstValue("Content-Type")).hasValue("application/problem+json");
    assertThat(unknown.body())
        .contains("urn:tinyfaas:problem:unknown-function", "\"instance\":\"/nobody/x\"");

    HttpResponse<String> none = send(to("/none"));
    assertThat(none.statusCode()).isEqualTo(503);
    assertThat(none.headers().firstValue("Retry-After")).hasValue("2");
    assertThat(send(to("/gone")).statusCode()).isEqualTo(503);
    assertThat(send(to("/slow/never")).statusCode()).isEqualTo(504);
    assertThat(send(to("/f/large")).body()).contains("bad-answer", "larger than 65536 bytes");
    assertThat(send(to("/")).statusCode()).isEqualTo(404);
    assertThat(send(to("/f%2Fecho")).statusCode()).isEqualTo(404);
    assertThat(send(to("/%66/echo")).statusCode()).isEqualTo(200);
  }

  @Test
  void shouldRefuseWhatIsTooMuchAtOnce() {
    List<CompletableFuture<HttpResponse<String>>> running =
        IntStream.range(0, 8)
            .mapToObj(n -> client.sendAsync(to("/f/hold").build(), BodyHandlers.ofString()))
            .toList();
    eventually().until(() -> held.size() == 8);

    HttpResponse<String> refused = send(to("/f/echo"));

    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(refused.headers().firstValue("Retry-After")).hasValue("1");
    release();
    assertThat(running).allMatch(answer -> answer.join().body().equals("done"));
  }

  @Test
  void shouldPassOnUtf8AsItIs() {
    assertThat(
            send(to("/f/echo").POST(BodyPublishers.ofString("grüße ✓", StandardCharsets.UTF_8)))
                .body())
        .isEqualTo("grüße ✓");
  }
}
