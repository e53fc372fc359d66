package io.tinyfaas.manager;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The manager is stopped, as by an update, while calls wait for an engine that stands still. */
@Tag("slow")
class ManagerStopIT {

  private static final Duration LESS_THAN_THE_ENGINE_HAS = Duration.ofSeconds(10);

  @Test
  void shouldEndWithoutWaitingForCallsAndTellEachInALine() throws IOException {
    List<SocketChannel> asked = new ArrayList<>();
    try (ManagerProcess manager = new ManagerProcess();
        ServerSocketChannel engine = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        Socket client = new Socket("127.0.0.1", manager.port())) {
      engine.bind(UnixDomainSocketAddress.of(manager.engine()));
      client
          .getOutputStream()
          .write(
              "GET /functions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer a-token-for-tests-only\r\n\r\n"
                  .getBytes(US_ASCII));
      // The manager's own look, and the call.
      while (asked.size() < 2) {
        SocketChannel question = engine.accept();
        assertThat(question.read(ByteBuffer.allocate(16))).isPositive();
        asked.add(question);
      }

      manager.stop(LESS_THAN_THE_ENGINE_HAS);

      assertThat(manager.log()).noneMatch(line -> line.startsWith("\tat "));
    } finally {
      for (SocketChannel question : asked) {
        question.close();
      }
    }
  }
}
