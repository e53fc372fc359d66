package io.tinyfaas.gateway.ingress.coap.direct;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufUtil;
import io.tinyfaas.gateway.ingress.coap.direct.AnswerOptions.Encoded;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.vertx.core.MultiMap;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerOptionsTest {

  private static final byte[] BODY = {1};
  private static final byte[] NO_BODY = {};

  private final AnswerOptions options = new AnswerOptions();

  private static MultiMap json() {
    return MultiMap.caseInsensitiveMultiMap()
        .add("Content-Type", "application/json")
        .add("Cache-Control", "max-age=5");
  }

  private String encoded(Code method, int status, MultiMap headers, byte[] body) {
    Encoded encoded = options.of(method, new Answered(status, headers, body)).orElseThrow();
    return "%x %s".formatted(encoded.code(), ByteBufUtil.hexDump(encoded.options()));
  }

  @Test
  void shouldSayInCoapWhatTheHeadSays() {
    // 2.05, Content-Format 50, Max-Age 5
    assertThat(encoded(Code.GET, 200, json(), BODY)).isEqualTo("45 c1322105");
    // 2.04, Max-Age 5; without a body it has no format
    assertThat(encoded(Code.POST, 204, json(), NO_BODY)).isEqualTo("44 d10105");
  }

  @Test
  void shouldTellApartWhatSharesAHead() {
    MultiMap shared = json();
    for (int i = 0; i < 2; i++) {
      assertThat(encoded(Code.GET, 200, shared, BODY)).isEqualTo("45 c1322105");
      assertThat(encoded(Code.PUT, 200, shared, BODY)).isEqualTo("44 c1322105");
      assertThat(encoded(Code.GET, 200, shared, NO_BODY)).isEqualTo("45 d10105");
      assertThat(encoded(Code.DELETE, 204, shared, NO_BODY)).isEqualTo("42 d10105");
    }
  }

  @Test
  void shouldKeepUpWithMoreHeadsThanItKnows() {
    for (int i = 0; i < 1_000; i++) {
      MultiMap headers =
          MultiMap.caseInsensitiveMultiMap().add("Cache-Control", "max-age=" + (i % 200 + 1));
      assertThat(encoded(Code.GET, 200, headers, NO_BODY))
          .isEqualTo("45 d101%02x".formatted(i % 200 + 1));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {101, 201, 302, 304, 404, 500})
  void shouldLeaveErrorsAndWhatIsSaidOfTheRequest(int status) {
    assertThat(options.of(Code.GET, new Answered(status, json(), BODY))).isEmpty();
  }

  @Test
  void shouldLeaveWhatIsSaidOfTheBody() {
    MultiMap headers = json().add("ETag", "\"longer-than-that\"");
    assertThat(options.of(Code.GET, new Answered(200, headers, BODY))).isEmpty();
  }
}
