package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HealthConnectionsTest {

  private final EmbeddedChannel server = new EmbeddedChannel(new HealthConnections(null));
  private final List<EmbeddedChannel> accepted = new ArrayList<>();

  private void accept(int count) {
    for (int i = 0; i < count; i++) {
      accepted.add(new EmbeddedChannel());
      server.writeInbound(accepted.getLast());
    }
  }

  @Test
  void shouldAcceptNoMoreWhileManyAreNotClosed() {
    accept(HealthConnections.MAX - 1);
    assertThat(server.config().isAutoRead()).isTrue();

    accept(1);

    assertThat(server.config().isAutoRead()).isFalse();
  }

  @Test
  void shouldGoOnWhenOneIsClosed() {
    accept(HealthConnections.MAX);

    accepted.getFirst().close();
    server.runPendingTasks();

    assertThat(server.config().isAutoRead()).isTrue();
  }

  /** Netty begins to read again by itself a second after it could not accept. */
  @Test
  void shouldAcceptNoMoreAlsoBeyondThat() {
    accept(HealthConnections.MAX);
    server.config().setAutoRead(true);

    accept(1);

    assertThat(server.config().isAutoRead()).isFalse();
  }
}
