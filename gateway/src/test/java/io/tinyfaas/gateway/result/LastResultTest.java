package io.tinyfaas.gateway.result;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LastResultTest {

  private static LastResult of(int tag, String body, String... headers) {
    return LastResult.of(answered(200, body, headers), tag).orElseThrow();
  }

  private static Answered answered(int status, String body, String... headers) {
    MultiMap map = HttpHeaders.headers();
    for (int i = 0; i < headers.length; i += 2) {
      map.set(headers[i], headers[i + 1]);
    }
    return new Answered(status, map, body.getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(ints = {204, 304, 400, 404, 500, 503, 301})
  void shouldNotBeMadeOfWhatSaysNothingOfTheState(int status) {
    assertThat(LastResult.of(answered(status, "x"), 1)).isEmpty();
  }

  @Test
  void shouldDifferByBodyTypeAndTagOnly() {
    LastResult one = of(1, "x", "Content-Type", "text/plain");
    assertThat(of(2, "x", "Content-Type", "text/plain", "X-Y", "z").differsFrom(one)).isFalse();
    assertThat(of(2, "y", "Content-Type", "text/plain").differsFrom(one)).isTrue();
    assertThat(of(2, "x", "Content-Type", "application/json").differsFrom(one)).isTrue();
    assertThat(
            of(2, "x", "Content-Type", "text/plain", "Content-Encoding", "gzip").differsFrom(one))
        .isTrue();
    LastResult tagged = of(1, "x", "Content-Type", "text/plain", "ETag", "\"a\"");
    assertThat(tagged.differsFrom(one)).isTrue();
    assertThat(of(2, "x", "Content-Type", "text/plain", "ETag", "\"b\"").differsFrom(tagged))
        .isTrue();
    assertThat(of(2, "x", "Content-Type", "text/plain", "ETag", "\"a\"").differsFrom(tagged))
        .isFalse();
  }

  @Test
  void shouldHaveTheFunctionsTagWhereCoapCanCarryIt() {
    assertThat(of(0x0a0b0c0d, "x").etag()).isEqualTo("\"0a0b0c0d\"");
    assertThat(of(1, "x", "ETag", "\"a1\"").etag()).isEqualTo("\"6131\"");
    assertThat(of(1, "x", "ETag", "\"a1\"").tag()).containsExactly('a', '1');
    assertThat(of(1, "x", "ETag", "\"much longer than eight\"").etag()).isEqualTo("\"00000001\"");
  }

  @Test
  void shouldKeepNoHeadersThatNobodyIsTold() {
    LastResult state = of(1, "x", "Set-Cookie", "secret", "Content-Type", "text/plain");
    assertThat(state.answer().headers().names()).containsExactly("Content-Type");
    assertThat(state.bytes()).isEqualTo(1 + LastResult.OVERHEAD_BYTES + "text/plain".length());
  }
}
