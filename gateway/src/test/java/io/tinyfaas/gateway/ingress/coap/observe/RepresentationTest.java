package io.tinyfaas.gateway.ingress.coap.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
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

  private static Representation of(int tag, String body, String... headers) {
    return Representation.of(answered(200, body, headers), tag).orElseThrow();
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
    assertThat(Representation.of(answered(status, "x"), 1)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 201, 202, 299})
  void shouldBeContentWhateverTheStatusWas(int status) {
    Response response =
        Representation.of(answered(status, "x", "Location", "/y"), 1)
            .orElseThrow()
            .answer(new OptionSet());
    assertThat(response.getCode()).isEqualTo(ResponseCode.CONTENT);
    assertThat(response.getPayloadString()).isEqualTo("x");
    assertThat(response.getOptions().getLocationPathCount()).isZero();
    assertThat(response.getOptions().hasMaxAge()).isFalse();
  }

  @Test
  void shouldDifferByBodyFormatAndTagOnly() {
    Representation one = of(1, "x", "Content-Type", "text/plain");
    assertThat(of(2, "x", "Content-Type", "text/plain", "X-Y", "z").differsFrom(one)).isFalse();
    assertThat(of(2, "y", "Content-Type", "text/plain").differsFrom(one)).isTrue();
    assertThat(of(2, "x", "Content-Type", "application/json").differsFrom(one)).isTrue();
    Representation tagged = of(1, "x", "Content-Type", "text/plain", "ETag", "\"a\"");
    assertThat(tagged.differsFrom(one)).isTrue();
    assertThat(of(2, "x", "Content-Type", "text/plain", "ETag", "\"b\"").differsFrom(tagged))
        .isTrue();
    assertThat(of(2, "x", "Content-Type", "text/plain", "ETag", "\"a\"").differsFrom(tagged))
        .isFalse();
  }

  @Test
  void shouldKeepTheMaxAgeThatTheFunctionSays() {
    OptionSet options =
        of(1, "x", "Cache-Control", "max-age=7").answer(new OptionSet()).getOptions();
    assertThat(options.getMaxAge()).isEqualTo(7);
  }
}
