package io.tinyfaas.gateway.invoke;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.gateway.ingress.Protocol;
import io.vertx.core.MultiMap;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestEncoderTest {

  private final RequestEncoder encoder = new RequestEncoder();
  private final ByteBuf written = Unpooled.buffer();

  private String write(String device, MultiMap headers, String body) {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    encoder.write(
        new Invocation(
            "f", Protocol.COAP, InetAddress.getLoopbackAddress(), device, headers, bytes),
        written);
    return written.toString(StandardCharsets.ISO_8859_1);
  }

  private static MultiMap headers(String... namesAndValues) {
    MultiMap headers = MultiMap.caseInsensitiveMultiMap();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      headers.add(namesAndValues[i], namesAndValues[i + 1]);
    }
    return headers;
  }

  @Test
  void shouldWriteHeadersInTheirOrderAndTheBody() {
    assertThat(write("", headers("B", "1", "a", "2", "B", "x\ty\u00fc"), "body"))
        .isEqualTo(
            "POST /fn HTTP/1.1\r\nB: 1\r\na: 2\r\nB: x\ty\u00fc\r\nHost: localhost\r\n"
                + "Content-Length: 4\r\n\r\nbody");
  }

  @Test
  void shouldWriteHeadersThatAreLong() {
    assertThat(write("", headers("A", "x".repeat(10_000)), ""))
        .contains("A: " + "x".repeat(10_000) + "\r\n");
  }

  @Test
  void shouldPassOnNothingThatEndsARequestOrConcernsTheConnection() {
    assertThat(
            write(
                "",
                headers(
                    "content-length",
                    "0",
                    "Transfer-encoding",
                    "chunked",
                    "CONNECTION",
                    "close",
                    "keep-alive",
                    "x",
                    "proxy-connection",
                    "x",
                    "te",
                    "trailers",
                    "trailer",
                    "x",
                    "upgrade",
                    "h2c",
                    "expect",
                    "100-continue"),
                "body"))
        .isEqualTo("POST /fn HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody");
  }

  @Test
  void shouldSayWhichFunctionsLedToItAndNotWhatASenderSaysOfThat() {
    MultiMap forged =
        headers("x-tinyfaas-caller", "z", "X-TINYFAAS-DEPTH", "0", "X-tinyFaaS-Deadline", "9");
    assertThat(write("", forged, "")).doesNotContainIgnoringCase("x-tinyfaas");
    written.clear();
    Invocation called =
        new Invocation(
            "f",
            Protocol.FUNCTION,
            InetAddress.getLoopbackAddress(),
            "",
            forged,
            new byte[0],
            new Lineage("shed", 2, 1_234));
    encoder.write(called, written);
    assertThat(written.toString(StandardCharsets.ISO_8859_1))
        .contains(
            "\r\nX-tinyFaaS-Caller: shed\r\nX-tinyFaaS-Deadline: 1234\r\nX-tinyFaaS-Depth: 2\r\n")
        .doesNotContain("caller: z", "DEPTH: 0", "Deadline: 9");
  }

  @Test
  void shouldPassOnOneHost() {
    assertThat(write("", headers("host", "a.example", "Host", "b.example"), ""))
        .isEqualTo("POST /fn HTTP/1.1\r\nhost: a.example\r\nContent-Length: 0\r\n\r\n");
  }

  @Test
  void shouldNameTheDeviceThatHasProvedToBeOneAndNoOther() {
    assertThat(write("", headers("x-tinyfaas-device", "forged"), "")).doesNotContain("forged");
    written.clear();
    assertThat(write("lamp", headers("x-tinyfaas-device", "forged"), ""))
        .contains("X-tinyFaaS-Device: lamp\r\n")
        .doesNotContain("forged");
  }

  /** It would close the connection, on which there are the requests of others. */
  @Test
  void shouldWriteNothingOfAHeadThatAHandlerWouldRefuse() {
    MultiMap most = MultiMap.caseInsensitiveMultiMap();
    for (int i = 0; i < HandlerHttp.MAX_HEADERS - 2; i++) {
      most.add("a", "b");
    }
    assertThat(write("", most, "").split("\r\n")).hasSize(1 + HandlerHttp.MAX_HEADERS);
    written.clear();

    assertThatThrownBy(() -> write("", most.add("a", "b"), ""))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> write("", headers("A", "x".repeat(HandlerHttp.MAX_HEAD_BYTES)), ""))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(written.isReadable()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "A, 'b\r\nC: d'",
    "A, 'b\nC'",
    "A, 'b\u0000'",
    "A, 'b\u20ac'",
    "'A\r\nB', c",
    "'A B', c",
    "'A:', b",
    "'A\u00fc', b",
    "'A(', b",
    "'', b",
    "A, 'b\u007f'"
  })
  void shouldWriteNothingOfARequestWithAHeaderThatWouldBecomeAnother(String name, String value) {
    assertThatThrownBy(() -> write("", headers(name, value), "body"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(written.isReadable()).isFalse();
  }
}
