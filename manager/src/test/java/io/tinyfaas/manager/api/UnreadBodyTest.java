package io.tinyfaas.manager.api;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bodies that are sent with calls that have none. */
@QuarkusTest
@TestProfile(WithoutEngine.class)
class UnreadBodyTest extends RestCalls {

  private static final String BODY = "0123456789abcdef".repeat(20_000);

  /** Also where the body looks like a request. */
  @ParameterizedTest
  @CsvSource({
    "POST /wipe, 200",
    "GET /list, 200",
    "PUT /wipe, 400",
    "GET /functions, 200",
    "DELETE /functions/nothing, 404",
    "GET /q/health/live, 200",
    "GET /nothing, 404",
  })
  void shouldAnswerTheNextRequest(String call, int status) throws IOException {
    for (String body : new String[] {"x", BODY, "GET /list HTTP/1.1\r\nHost: h\r\n\r\n"}) {
      try (Socket socket = connect()) {
        socket
            .getOutputStream()
            .write(
                (head(call, "Content-Length: " + body.length()) + body + last())
                    .getBytes(US_ASCII));
        shouldBeTwoAnswers(socket, status);
      }
      try (Socket socket = connect()) {
        String chunk = Integer.toHexString(body.length()) + "\r\n" + body + "\r\n0\r\n\r\n";
        socket
            .getOutputStream()
            .write((head(call, "Transfer-Encoding: chunked") + chunk + last()).getBytes(US_ASCII));
        shouldBeTwoAnswers(socket, status);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"POST /wipe", "GET /list", "PUT /wipe", "GET /q/health/live"})
  void shouldNotReadForEver(String call) throws IOException {
    byte[] chunk = ("1000\r\n" + "x".repeat(0x1000) + "\r\n").getBytes(US_ASCII);
    try (Socket socket = connect()) {
      socket.getOutputStream().write(head(call, "Transfer-Encoding: chunked").getBytes(US_ASCII));
      assertThatThrownBy(
              () -> {
                while (true) {
                  socket.getOutputStream().write(chunk);
                }
              })
          .isInstanceOf(SocketException.class);
    }
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket(server.getHost(), server.getPort());
    socket.setSoTimeout(PATIENCE);
    return socket;
  }

  private static String head(String call, String length) {
    return call
        + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
        + TOKEN
        + "\r\n"
        + length
        + "\r\n\r\n";
  }

  private static String last() {
    return head("GET /functions", "Connection: close");
  }

  private static void shouldBeTwoAnswers(Socket socket, int status) throws IOException {
    String all = new String(socket.getInputStream().readAllBytes(), US_ASCII);
    assertThat(all).startsWith("HTTP/1.1 " + status).endsWith("\r\n\r\n[]");
    assertThat(all.split("HTTP/1\\.1 ", -1)).as(all).hasSize(3);
  }
}
