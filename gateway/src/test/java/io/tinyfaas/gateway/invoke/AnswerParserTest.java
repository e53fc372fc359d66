package io.tinyfaas.gateway.invoke;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.gateway.invoke.AnswerParser.MalformedAnswerException;
import io.vertx.core.MultiMap;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerParserTest {

  /** What was read, one line for each answer. */
  private final List<String> answers = new ArrayList<>();

  private final AnswerParser parser =
      new AnswerParser(
          new AnswerParser.Receiver() {
            private final StringBuilder answer = new StringBuilder();

            @Override
            public void head(int status, MultiMap headers, long length) {
              answer.append(status).append(' ').append(length);
              headers.forEach((name, value) -> answer.append(" " + name + "=" + value));
              answer.append(" : ");
            }

            @Override
            public void body(ByteBuf from, int length) {
              answer.append(from.readCharSequence(length, StandardCharsets.ISO_8859_1));
            }

            @Override
            public void end(boolean kept) {
              answers.add(answer + (kept ? "" : " (last)"));
              answer.setLength(0);
            }
          });

  private static ByteBuf bytes(String text) {
    return Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1);
  }

  private void read(String text) throws MalformedAnswerException {
    parser.read(bytes(text));
  }

  /** Whole, and in pieces of every size. */
  private List<String> allOf(String text) throws MalformedAnswerException {
    read(text);
    List<String> whole = List.copyOf(answers);
    for (int size = 1; size < text.length(); size++) {
      answers.clear();
      for (int at = 0; at < text.length(); at += size) {
        read(text.substring(at, Math.min(text.length(), at + size)));
      }
      assertThat(answers).as("in pieces of %d bytes", size).isEqualTo(whole);
    }
    return whole;
  }

  @Test
  void shouldReadOneAnswerAfterTheOther() throws MalformedAnswerException {
    assertThat(
            allOf(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\none"
                    + "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\ntwo"
                    + "HTTP/1.1 204 No Content\r\nETag:   \"x\" \r\n\r\n"
                    + "HTTP/1.1 404\r\ncontent-length: 0\r\n\r\n"
                    + "HTTP/1.1 304 \r\nContent-Length: 7\r\nX:\r\n\r\n"))
        .containsExactly(
            "200 3 Content-Type=text/plain : one",
            "200 3 Content-Type=text/plain : two",
            "204 0 ETag=\"x\" : ",
            "404 0 : ",
            "304 0 X= : ");
  }

  @Test
  void shouldReadAChunkedAnswer() throws MalformedAnswerException {
    assertThat(
            allOf(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nA: b\r\n\r\n"
                    + "4\r\none,\r\n0a;name=\"value\"\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
                    + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n."))
        .containsExactly("200 -1 A=b : one,0123456789", "200 1 : .");
  }

  @Test
  void shouldPassOverInterimAnswersAndWhatConcernsTheConnection() throws MalformedAnswerException {
    assertThat(
            allOf(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                    + "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=60\r\n"
                    + "Content-Length: 1\r\n\r\n1"))
        .containsExactly("200 1 : 1");
  }

  @Test
  void shouldPassOverAFewInterimAnswersBeforeEachOnly() throws MalformedAnswerException {
    String interim = "HTTP/1.1 102 Processing\r\n\r\n";
    String answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1";
    read(interim.repeat(8) + answer + interim.repeat(8) + answer);
    assertThat(answers).hasSize(2);
    read(interim.repeat(8));
    assertThatThrownBy(() -> read(interim))
        .isInstanceOf(MalformedAnswerException.class)
        .hasMessageContaining("interim");
  }

  /** A megabyte may be in chunks of a byte, but not with 250 bytes around each. */
  @Test
  void shouldRefuseChunksThatAreNextToNothingButLines() throws MalformedAnswerException {
    read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    read("1\r\nx\r\n".repeat(100_000));
    read("0\r\n\r\n");
    assertThat(answers).hasSize(1);
    read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    String large = "1;" + "x".repeat(240) + "\r\nx\r\n";
    read(large.repeat(10));
    assertThatThrownBy(() -> read(large.repeat(100)))
        .isInstanceOf(MalformedAnswerException.class)
        .hasMessageContaining("chunks");
  }

  /** Each byte is looked at once: else these would be 268 million looks for each answer. */
  @Test
  void shouldReadHeadsAndTrailersThatTrickle() throws MalformedAnswerException {
    String field = "x".repeat(HandlerHttp.MAX_HEAD_BYTES / 4);
    String answer =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: "
            + field
            + "\r\nB: \r\n\r\n1\r\nx\r\n0\r\nA: "
            + field
            + "\r\n\r\n";
    for (int i = 0; i < answer.length(); i++) {
      read(answer.substring(i, i + 1));
    }
    assertThat(answers).containsExactly("200 -1 A=" + field + " B= : x");
  }

  @Test
  void shouldPassOnNothingThatTheConnectionFieldNames() throws MalformedAnswerException {
    assertThat(
            allOf(
                "HTTP/1.1 200 OK\r\nX-Hop: a\r\nConnection: keep-alive, x-hop\r\n"
                    + "Content-Length: 1\r\nX-End: b\r\n\r\n1"))
        .containsExactly("200 1 X-End=b : 1");
  }

  @Test
  void shouldTakeAHundredHeadersAndNoMore() throws MalformedAnswerException {
    String more = "a:\r\n".repeat(HandlerHttp.MAX_HEADERS - 1);
    read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" + more + "\r\n1");
    assertThat(answers).hasSize(1);
    assertThatThrownBy(
            () -> read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nb:\r\n" + more + "\r\n1"))
        .isInstanceOf(MalformedAnswerException.class);
  }

  @Test
  void shouldRefuseADeleteInAHeader() {
    assertThatThrownBy(() -> read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nA: b\u007f\r\n\r\n1"))
        .isInstanceOf(MalformedAnswerException.class);
  }

  @Test
  void shouldSayWhenNothingFollows() throws MalformedAnswerException {
    read("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\n1");
    read("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n2");
    read("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n3");
    assertThat(answers).containsExactly("200 1 : 1 (last)", "200 1 : 2 (last)", "200 1 : 3");
  }

  @Test
  void shouldTakeTheEndOfTheConnectionForTheEndOfAnAnswerWithoutLength()
      throws MalformedAnswerException {
    read("HTTP/1.1 200 OK\r\n\r\nsome ");
    read("body");
    assertThat(answers).isEmpty();
    parser.closed();
    assertThat(answers).containsExactly("200 -1 : some body (last)");
  }

  @Test
  void shouldNotTakeTheEndOfTheConnectionForTheEndOfAnyOtherAnswer()
      throws MalformedAnswerException {
    read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome ");
    parser.closed();
    assertThat(answers).isEmpty();
  }

  @Test
  void shouldReadNothingAfterItWasStopped() throws MalformedAnswerException {
    parser.stop();
    read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
    assertThat(answers).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nonsense\r\n\r\n",
        "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 2000\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nContent-Length: 1234567890123456789\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 1\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nA\r\nContent-Length: 1\r\n\r\n1",
        "HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 1\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nA: b\rC: d\r\nContent-Length: 1\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nA: b\u0000\r\nContent-Length: 1\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n123456789\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\n1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n12\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1x\r\n"
      })
  void shouldRefuseWhatIsNoAnswer(String text) {
    assertThatThrownBy(() -> read(text)).isInstanceOf(MalformedAnswerException.class);
    assertThat(answers).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HTTP/1.1 200 OK\r\nA: ",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: "
      })
  void shouldBoundWhatHasNoEnd(String begin) throws MalformedAnswerException {
    read(begin);
    assertThatThrownBy(
            () -> {
              for (int i = 0; i < 20; i++) {
                read("x".repeat(1_024));
              }
            })
        .isInstanceOf(MalformedAnswerException.class)
        .hasMessageContaining("bytes");
  }

  @Test
  void shouldBoundTrailers() throws MalformedAnswerException {
    read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
    assertThatThrownBy(
            () -> {
              for (int i = 0; i < 4_096; i++) {
                read("A: b\r\n");
              }
            })
        .isInstanceOf(MalformedAnswerException.class);
  }
}
