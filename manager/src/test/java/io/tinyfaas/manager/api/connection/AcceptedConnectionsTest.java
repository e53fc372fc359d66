package io.tinyfaas.manager.api.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AcceptedConnectionsTest {

  private final EmbeddedChannel server = new EmbeddedChannel(new AcceptedConnections(null));
  private final List<EmbeddedChannel> accepted = new ArrayList<>();

  private void accept(int count) {
    for (int i = 0; i < count; i++) {
      accepted.add(new Connection());
      server.writeInbound(accepted.getLast());
    }
  }

  /** Which run what is due for them: those that give way are closed then. */
  private void letLoopsRun() {
    accepted.forEach(EmbeddedChannel::runPendingTasks);
    server.runPendingTasks();
  }

  @Test
  void shouldAcceptNoMoreWhileManyThatGaveWayAreNotClosed() {
    accept(AcceptedConnections.MAX_UNCLOSED - 1);
    assertThat(server.config().isAutoRead()).isTrue();

    accept(1);

    assertThat(server.config().isAutoRead()).isFalse();
  }

  @Test
  void shouldGoOnWhenThoseAreClosed() {
    accept(AcceptedConnections.MAX_UNCLOSED);

    letLoopsRun();

    assertThat(server.config().isAutoRead()).isTrue();
    assertThat(accepted)
        .filteredOn(EmbeddedChannel::isOpen)
        .hasSizeLessThan(AcceptedConnections.MAX);
  }

  private static final class Connection extends EmbeddedChannel {

    @Override
    protected SocketAddress remoteAddress0() {
      return new InetSocketAddress("192.0.2.1", 1);
    }

    @Override
    protected SocketAddress localAddress0() {
      return new InetSocketAddress("192.0.2.2", 1);
    }
  }
}
