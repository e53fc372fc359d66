package io.tinyfaas.manager.api;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.tinyfaas.manager.api.connection.AcceptedConnections;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** More connections than there are places, from addresses of this machine. */
@QuarkusTest
@TestProfile(WithoutEngine.AndAllPatience.class)
class CrowdedConnectionsTest extends RestCalls {

  private static final String REQUEST =
      "GET /functions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer "
          + TOKEN
          + "\r\n\r\n";

  private final List<Socket> crowd = new ArrayList<>();

  @AfterEach
  void closeAll() throws IOException {
    for (Socket socket : crowd) {
      socket.close();
    }
  }

  @Test
  void shouldAnswerOthersWhileOneAddressHasAllThatItMayHave() throws IOException {
    for (int i = 0; i < 2 * AcceptedConnections.MAX; i++) {
      connect("127.0.0.2");
    }

    assertThat(ask("127.0.0.3")).startsWith("HTTP/1.1 200");
    assertThat(ask("127.0.0.1")).startsWith("HTTP/1.1 200");
    assertThat(ask("127.0.0.2")).as("and itself").startsWith("HTTP/1.1 200");
  }

  @Test
  void shouldLeaveOneAddressNoMoreThanIsLeft() throws IOException {
    for (int i = 0; i < 2 * AcceptedConnections.MAX; i++) {
      connect("127.0.0.2");
    }

    eventually()
        .untilAsserted(
            () ->
                assertThat(crowd.stream().filter(socket -> !isClosed(socket)).toList())
                    .isEqualTo(
                        crowd.subList(crowd.size() - AcceptedConnections.MAX / 2, crowd.size())));
  }

  @Test
  void shouldAnswerWhereEachPlaceIsAnotherAddress() throws IOException {
    for (int i = 0; i < 2 * AcceptedConnections.MAX; i++) {
      connect("127.0.1." + i % 250);
    }

    assertThat(ask("127.0.0.3")).startsWith("HTTP/1.1 200");
    assertThat(ask("127.0.0.1")).startsWith("HTTP/1.1 200");
  }

  @Test
  void shouldTakeNoPlaceFromARequestThatIsNotAnswered() throws IOException {
    CountDownLatch deployment = deployer.hold();
    try {
      Socket waiting = connect("127.0.0.2");
      sendDeployment(waiting);
      eventually().until(() -> deployer.isHeld());
      for (int i = 0; i < 2 * AcceptedConnections.MAX; i++) {
        connect("127.0.0.2");
        connect("127.0.1." + i % 250);
      }
      assertThat(ask("127.0.0.3")).startsWith("HTTP/1.1 200");
      deployment.countDown();
      assertThat(readAnswer(waiting)).startsWith("HTTP/1.1 201");
    } finally {
      deployment.countDown();
    }
  }

  /** Each answer is twenty times as long as what asked for it. */
  @Test
  void shouldEndOneThatAsksOnAndTakesNoAnswer() throws IOException {
    Socket greedy = connect("127.0.0.2", 4 * 1024);
    byte[] requests = "GET / HTTP/1.1\r\nHost:h\r\n\r\n".repeat(1_000).getBytes(US_ASCII);

    assertThatThrownBy(
            () -> {
              for (int i = 0; i < 500; i++) {
                greedy.getOutputStream().write(requests);
              }
            })
        .isInstanceOf(SocketException.class);
    assertThat(ask("127.0.0.2")).startsWith("HTTP/1.1 200");
  }

  private Socket connect(String from) throws IOException {
    return connect(from, 64 * 1024);
  }

  private Socket connect(String from, int receiveBuffer) throws IOException {
    Socket socket = new Socket();
    crowd.add(socket);
    socket.setReceiveBufferSize(receiveBuffer);
    socket.bind(new InetSocketAddress(InetAddress.getByName(from), 0));
    socket.connect(new InetSocketAddress(server.getHost(), server.getPort()), PATIENCE);
    return socket;
  }

  private String ask(String from) throws IOException {
    Socket socket = connect(from);
    socket.setSoTimeout(PATIENCE);
    socket.getOutputStream().write(REQUEST.getBytes(US_ASCII));
    return new String(socket.getInputStream().readAllBytes(), US_ASCII);
  }

  private static boolean isClosed(Socket socket) {
    try {
      socket.setSoTimeout(1);
      return socket.getInputStream().read() < 0;
    } catch (SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }
}
