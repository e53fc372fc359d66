package io.tinyfaas.manager;

import static io.tinyfaas.harness.Eventually.patient;
import static io.tinyfaas.harness.Eventually.within;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.flood.Flood;
import io.tinyfaas.harness.flood.RunningFlood;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients without a token make the manager hold, in the heap that it has on a box. */
@Tag("slow")
class ManagerHeapIT {

  private static final int CONNECTIONS = 300;
  private static final int PATIENCE = (int) patient(Duration.ofSeconds(20)).toMillis();

  private static ManagerProcess manager;

  private final List<Socket> clients = new ArrayList<>();

  @BeforeAll
  static void start() {
    manager = new ManagerProcess();
  }

  @AfterAll
  static void stop() throws IOException {
    manager.close();
  }

  @AfterEach
  void disconnect() throws IOException {
    for (Socket client : clients) {
      client.close();
    }
  }

  /** Each field is there with a hundred bytes of objects. */
  @Test
  void shouldOutliveHeadsOfTinyFieldsThatNeverEnd() throws IOException {
    load("GET /functions HTTP/1.1\r\nHost: h\r\n", "a:\r\n".repeat(9_500));
  }

  /** Just within what a head may be. */
  @Test
  void shouldOutliveHeadsOfAsManyTinyFieldsAsThereMayBe() throws IOException {
    load("GET /functions HTTP/1.1\r\nHost: h\r\n", "a:\r\n".repeat(1_000));
  }

  /** Each answer is many times as long as what asked for it. */
  @Test
  void shouldOutliveThoseWhoAskOnAndTakeNoAnswer() throws IOException {
    load("", "GET / HTTP/1.1\r\nHost:h\r\n\r\n".repeat(20_000));
  }

  /** These are answered by threads that block, one after the other. */
  @Test
  void shouldOutliveThoseWhoAskForItsHealthAgainAndAgain() throws IOException {
    load("", "GET /q/health/live HTTP/1.1\r\nHost:h\r\n\r\n".repeat(20_000));
  }

  /** What is there of each for a moment would be more than there is of the heap. */
  @ParameterizedTest
  @ValueSource(strings = {"/q/health/live", "/functions"})
  void shouldHoldNothingOfThoseWhoComeAndGo(String path) throws IOException {
    try (RunningFlood flood =
        Flood.http().connections(20).path(path).hangUp().again(0).start(manager.port())) {
      within(Duration.ofMinutes(1))
          .until(
              () -> {
                assertThat(manager.isAlive()).isTrue();
                return flood.outcome("hung up") > 20_000;
              });
      assertThat(manager.living("io.vertx.core.http.impl.Http1xServerConnection"))
          .isLessThan(CONNECTIONS);
    }
    shouldBeWell();
  }

  private void load(String first, String more) throws IOException {
    byte[] all = (first + more).getBytes(US_ASCII);
    for (int i = 0; i < CONNECTIONS; i++) {
      Socket client = connect("127.0.0." + (2 + i % 5));
      clients.add(client);
      Thread.ofVirtual().start(() -> send(client, all));
      if (i % 50 == 49) {
        shouldBeWell();
      }
    }
    shouldBeWell();
  }

  private static void shouldBeWell() throws IOException {
    try (Socket socket = connect("127.0.0.1")) {
      socket
          .getOutputStream()
          .write("GET /q/health/live HTTP/1.0\r\nHost: h\r\n\r\n".getBytes(US_ASCII));
      assertThat(new String(socket.getInputStream().readAllBytes(), US_ASCII))
          .startsWith("HTTP/1.0 200");
    }
    assertThat(manager.isAlive()).isTrue();
  }

  private static Socket connect(String from) throws IOException {
    Socket socket = new Socket();
    socket.setReceiveBufferSize(4 * 1024);
    socket.setSoTimeout(PATIENCE);
    socket.bind(new InetSocketAddress(InetAddress.getByName(from), 0));
    socket.connect(new InetSocketAddress("127.0.0.1", manager.port()), PATIENCE);
    return socket;
  }

  private static void send(Socket client, byte[] bytes) {
    try {
      client.getOutputStream().write(bytes);
    } catch (IOException e) {
      // It was refused: that is how the manager lives.
    }
  }
}
