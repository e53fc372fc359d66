package io.tinyfaas.runtime.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.runtime.load.LoadedFunction.Input;
import java.net.Socket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RefusedRequestTest extends ServedFunction {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hello\r\n\r\n",
        "GET / FTP/1.1\r\n\r\n",
        "GET  HTTP/1.1\r\n\r\n",
        "GET / x HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\nHost: x\n\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\n: x\r\n\r\n",
        "GET / HTTP/1.1\r\nA : x\r\n\r\n",
        "GET / HTTP/1.1\r\nA: x\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nA: \u0001\r\n\r\n",
        "GET / HTTP/1.1\r\nA: x\ry\r\n\r\n",
        "POST /fn HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /fn HTTP/1.1\r\nContent-Length: \r\n\r\n",
        "POST /fn HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "POST /fn HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
        "POST /fn HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "POST /fn HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
        "\u0016\u0003\u0001"
      })
  void shouldRefuseAMalformedRequestAndClose(String request) throws Exception {
    serve(Input.TEXT, input -> input);
    Socket socket = send(request);
    assertThat(answer(socket)).startsWith("HTTP/1.1 400 ").contains("Connection: close");
    assertThat(socket.getInputStream().read()).isEqualTo(-1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 1001\r\n\r\n",
        "Content-Length: 99999999999999999999999\r\n\r\n",
        "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3e9\r\n",
        "Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n"
      })
  void shouldRefuseABodyAboveTheLimitBeforeItComes(String rest) throws Exception {
    serve(Input.TEXT, input -> input);
    assertThat(answer(send("POST /fn HTTP/1.1\r\nHost: x\r\n" + rest)))
        .startsWith("HTTP/1.1 413 ")
        .endsWith("a body has at most 1000 bytes");
  }

  @Test
  void shouldRefuseAHeadAboveTheLimit() throws Exception {
    serve(Input.TEXT, input -> input);
    String long1 = "GET / HTTP/1.1\r\nA: " + "x".repeat(RequestHead.MAX_LENGTH);
    assertThat(answer(send(long1))).startsWith("HTTP/1.1 431 ");
    String many = "GET / HTTP/1.1\r\n" + "A: x\r\n".repeat(RequestHead.MAX_HEADERS + 1) + "\r\n";
    assertThat(answer(send(many))).startsWith("HTTP/1.1 431 ");
  }

  @Test
  void shouldRefuseATransferCodingItDoesNotKnow() throws Exception {
    serve(Input.TEXT, input -> input);
    assertThat(answer(send("POST /fn HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n")))
        .startsWith("HTTP/1.1 501 ");
  }
}
