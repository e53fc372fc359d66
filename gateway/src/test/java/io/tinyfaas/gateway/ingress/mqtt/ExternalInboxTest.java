package io.tinyfaas.gateway.ingress.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.ingress.mqtt.ExternalInbox.Incoming;
import io.tinyfaas.gateway.ingress.mqtt.ExternalInbox.Outcome;
import io.tinyfaas.gateway.ingress.mqtt.ExternalInbox.Outcome.NeverTaken;
import io.tinyfaas.gateway.ingress.mqtt.ExternalInbox.Outcome.NotNow;
import io.tinyfaas.gateway.ingress.mqtt.ExternalInbox.Outcome.Taken;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.Holder;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ExternalInboxTest {

  private static final long MEMORY = 1 << 20;

  /** What has been offered and not decided, by packet identifier. */
  private final Map<Integer, Promise<Outcome>> offered = new TreeMap<>();

  private final List<String> sent = new ArrayList<>();
  private final List<Long> pauses = new ArrayList<>();
  private Runnable retry;

  private final BodyMemory memory = new BodyMemory(MEMORY);
  private final ExternalInbox inbox =
      new ExternalInbox(
          new ExternalInbox.Line() {
            @Override
            public Future<Outcome> take(Incoming message) {
              Promise<Outcome> outcome = Promise.promise();
              offered.put(message.packetId(), outcome);
              return outcome.future();
            }

            @Override
            public void acknowledge(Incoming message, boolean taken) {
              sent.add((taken ? "taken " : "refused ") + message.packetId());
            }

            @Override
            public void later(long millis, Runnable task) {
              pauses.add(millis);
              retry = task;
            }

            @Override
            public void stuck(String why) {
              sent.add("stuck: " + why);
            }

            @Override
            public void unstuck() {
              sent.add("unstuck");
            }
          },
          memory,
          new Holder());

  private static Incoming message(int packetId, int bytes) {
    return new Incoming(
        new Publication(
            Optional.empty(),
            Protocol.MQTT,
            InetSocketAddress.createUnresolved("broker", 1883),
            "a",
            1,
            false,
            false,
            "",
            "",
            new byte[0],
            Publication.NEVER,
            List.of(),
            new byte[bytes]),
        packetId,
        Set.of());
  }

  private void decide(int packetId, Outcome outcome) {
    offered.remove(packetId).complete(outcome);
  }

  @Test
  void shouldAcknowledgeInTheOrderInWhichTheyCame() {
    for (int id = 1; id <= 3; id++) {
      assertThat(inbox.add(message(id, 10))).isTrue();
    }
    decide(2, new Taken());
    decide(3, new NeverTaken("bad"));
    assertThat(sent).isEmpty();
    decide(1, new Taken());
    assertThat(sent).containsExactly("taken 1", "taken 2", "refused 3");
    assertThat(memory.take(MEMORY)).as("all memory is given back").isTrue();
  }

  @Test
  void shouldTryAgainWithGrowingPausesAndInOrder() {
    inbox.add(message(1, 10));
    inbox.add(message(2, 10));
    decide(1, new NotNow("full"));
    decide(2, new NotNow("full"));
    inbox.add(message(3, 10));
    assertThat(offered).isEmpty();
    assertThat(sent).containsExactly("stuck: full");

    retry.run();
    assertThat(offered).containsOnlyKeys(1, 2, 3);
    decide(1, new NotNow("full"));
    decide(2, new NotNow("full"));
    decide(3, new NotNow("full"));
    retry.run();
    decide(1, new Taken());
    decide(2, new Taken());
    decide(3, new Taken());

    assertThat(pauses).containsExactly(1_000L, 2_000L);
    assertThat(sent)
        .containsSubsequence("stuck: full", "taken 1", "taken 2", "taken 3")
        .containsOnlyOnce("stuck: full", "unstuck");
  }

  @Test
  void shouldTakeNothingForWhichThereIsNoMemory() {
    assertThat(inbox.add(message(1, (int) MEMORY))).isFalse();
    assertThat(offered).isEmpty();
  }

  @Test
  void shouldBeFullWhereMoreCameThanTheBrokerWasTold() {
    for (int id = 1; id < ExternalInbox.MAX; id++) {
      inbox.add(message(id, 10));
      assertThat(inbox.isFull()).isFalse();
    }
    inbox.add(message(ExternalInbox.MAX, 10));
    assertThat(inbox.isFull()).isTrue();
    decide(1, new Taken());
    assertThat(inbox.isFull()).isFalse();
  }

  @Test
  void shouldAcknowledgeNothingOnceItIsClosed() {
    inbox.add(message(1, 10));
    Promise<Outcome> late = offered.remove(1);
    inbox.close();
    late.complete(new Taken());
    assertThat(sent).isEmpty();
    assertThat(memory.take(MEMORY)).isTrue();
  }
}
