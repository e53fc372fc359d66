package io.tinyfaas.manager.api;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that close their side when they have asked, as {@code nc -N} does. */
@QuarkusTest
@TestProfile(WithoutEngine.AndAllPatience.class)
class HalfClosedTest extends RestCalls {

  private static final String REQUEST =
      "GET /functions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + TOKEN + "\r\n\r\n";

  private static String rest(Socket socket) throws IOException {
    socket.setSoTimeout(PATIENCE);
    return new String(socket.getInputStream().readAllBytes(), US_ASCII);
  }

  private Socket send(String text) throws IOException {
    Socket socket = new Socket(server.getHost(), server.getPort());
    socket.getOutputStream().write(text.getBytes(US_ASCII));
    socket.shutdownOutput();
    return socket;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void shouldGetTheirAnswers(int requests) throws IOException {
    try (Socket socket = send(REQUEST.repeat(requests))) {
      assertThat(rest(socket).split("HTTP/1.1 200")).hasSize(requests + 1);
    }
  }

  @Test
  void shouldGetAnAnswerThatIsLongInComing() throws IOException {
    CountDownLatch deployment = deployer.hold();
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      sendDeployment(socket);
      socket.shutdownOutput();
      eventually().until(() -> deployer.isHeld());
      deployment.countDown();
      assertThat(rest(socket)).startsWith("HTTP/1.1 201");
    } finally {
      deployment.countDown();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "GET /functions HTTP/1.1\r\nHo",
        "PUT /functions/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
            + TOKEN
            + "\r\nContent-Type: application/zip\r\nContent-Length: 9\r\n\r\nx",
      })
  void shouldGetNoneWhereNoWholeRequestCame(String part) throws IOException {
    try (Socket socket = send(part)) {
      assertThat(rest(socket)).isEmpty();
    }
  }
}
