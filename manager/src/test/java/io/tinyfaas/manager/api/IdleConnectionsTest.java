package io.tinyfaas.manager.api;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Connections on which nobody asks for anything: they would keep out those who do. */
@QuarkusTest
@TestProfile(WithoutEngine.AndPatience.class)
class IdleConnectionsTest extends RestCalls {

  private static final String REQUEST =
      "GET /functions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + TOKEN + "\r\n\r\n";

  @Test
  void shouldCloseASilentOne() throws IOException {
    try (Socket silent = connect()) {
      assertThat(silent.getInputStream().read()).isEqualTo(-1);
    }
  }

  /** Again and again within its time there is something of it. */
  @Test
  void shouldCloseOneOnWhichAHeadComesByteByByte() throws IOException {
    try (Socket slow = connect()) {
      slow.setSoTimeout(500);
      eventually().until(() -> isClosedAfter(slow, "G"));
    }
  }

  /** A client that speaks HTTP/2 would be asked for nothing but its first words. */
  @Test
  void shouldSpeakOneProtocolOnly() throws IOException {
    try (Socket other = connect()) {
      other.getOutputStream().write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII));
      assertThat(new String(other.getInputStream().readAllBytes(), US_ASCII)).startsWith("HTTP/");
    }
  }

  /** Each is there with a hundred bytes of objects, before anybody is asked for a token. */
  @Test
  void shouldRefuseAHeadOfThousandsOfFields() throws IOException {
    try (Socket socket = connect()) {
      socket
          .getOutputStream()
          .write(
              REQUEST
                  .replace("\r\n\r\n", "\r\n" + "a:\r\n".repeat(2_500) + "\r\n")
                  .getBytes(US_ASCII));
      assertThat(readAnswer(socket)).startsWith("HTTP/1.1 431");
    }
  }

  @Test
  void shouldLeaveOneThatWaitsForItsAnswer() throws IOException {
    CountDownLatch deployment = deployer.hold();
    try (Socket waiting = connect()) {
      sendDeployment(waiting);
      shouldCloseASilentOne();
      shouldCloseASilentOne();
      deployment.countDown();
      assertThat(readAnswer(waiting)).startsWith("HTTP/1.1 201");
      assertThat(waiting.getInputStream().readAllBytes()).as("and is closed after it").isNotNull();
    } finally {
      deployment.countDown();
    }
  }

  @Test
  void shouldTakeAnotherRequestOnOneThatIsKept() throws IOException {
    try (Socket kept = connect()) {
      for (int i = 0; i < 3; i++) {
        kept.getOutputStream().write(REQUEST.getBytes(US_ASCII));
        assertThat(readEmptyList(kept)).startsWith("HTTP/1.1 200");
      }
    }
  }

  /** Each is answered in its turn. */
  @Test
  void shouldAnswerAllThatAreSentTogether() throws IOException {
    try (Socket pipelining = connect()) {
      pipelining.getOutputStream().write(REQUEST.repeat(200).getBytes(US_ASCII));
      for (int i = 0; i < 200; i++) {
        assertThat(readEmptyList(pipelining)).startsWith("HTTP/1.1 200");
      }
    }
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket(server.getHost(), server.getPort());
    socket.setSoTimeout(PATIENCE);
    return socket;
  }

  private static String readEmptyList(Socket socket) throws IOException {
    StringBuilder answer = new StringBuilder();
    while (!answer.toString().endsWith("[]")) {
      answer.append((char) socket.getInputStream().read());
    }
    return answer.toString();
  }

  /** Sends this, and waits for as long as the socket's patience is. */
  private static boolean isClosedAfter(Socket socket, String more) throws IOException {
    try {
      socket.getOutputStream().write(more.getBytes(US_ASCII));
      return socket.getInputStream().read() < 0;
    } catch (SocketTimeoutException e) {
      return false;
    } catch (SocketException e) {
      return true;
    }
  }
}
