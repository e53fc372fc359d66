package io.tinyfaas.manager.control;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.control.GatewayStatus;
import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.manager.store.EpochFile;
import io.tinyfaas.manager.store.StoreFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfirmedTableTest {

  @TempDir Path root;

  private final List<Revision> sent = new CopyOnWriteArrayList<>();
  private final AtomicInteger encoded = new AtomicInteger();
  private final List<Message<? extends byte[]>> messages = new CopyOnWriteArrayList<>();

  /** Fails the second and the third time, and is never confirmed. */
  private final class Table implements ConfirmedTable.Table {
    private final Supplied failure;

    Table(Supplied failure) {
      this.failure = failure;
    }

    @Override
    public byte[] encode(Revision revision) {
      int attempt = encoded.incrementAndGet();
      if (attempt == 2 || attempt == 3) {
        throw failure.get();
      }
      sent.add(revision);
      return new byte[0];
    }

    @Override
    public GatewayStatus gateway() {
      return GatewayStatus.gone("");
    }

    @Override
    public Revision confirmedBy(GatewayStatus gateway) {
      return Revision.NONE;
    }

    @Override
    public boolean isSentWithoutGateway() {
      return true;
    }
  }

  private interface Supplied {
    RuntimeException get();
  }

  private final class Channel implements Emitter<byte[]> {
    @Override
    public CompletionStage<Void> send(byte[] payload) {
      throw new AssertionError();
    }

    @Override
    public <M extends Message<? extends byte[]>> void send(M message) {
      messages.add(message);
    }

    @Override
    public void complete() {}

    @Override
    public void error(Exception failure) {}

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public boolean hasRequests() {
      return true;
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldSendAgainAfterAFailure(boolean illegalState) {
    Supplied failure =
        () ->
            illegalState
                ? new IllegalStateException("there is no room")
                : new IllegalArgumentException("a table that cannot be written");
    try (StoreFolder folder = new StoreFolder(root)) {
      ConfirmedTable table =
          new ConfirmedTable("routes", new EpochFile(folder), new Channel(), new Table(failure));

      table.open();

      eventually()
          .untilAsserted(
              () -> {
                messages.forEach(Message::ack);
                assertThat(sent).hasSizeGreaterThanOrEqualTo(2);
              });
      table.stop();
      assertThat(encoded.get()).isGreaterThanOrEqualTo(4);
    }
  }

  /** A hundred devices at once, and a broker that takes its time. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldSendOneAtATimeAndThenWhatCameMeanwhile(boolean taken) {
    encoded.set(3);
    try (StoreFolder folder = new StoreFolder(root)) {
      ConfirmedTable table =
          new ConfirmedTable("routes", new EpochFile(folder), new Channel(), new Table(null));
      table.open();
      List<CompletableFuture<Void>> asked = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        table.change(() -> true);
        asked.add(table.send());
      }
      assertThat(sent).hasSize(1);

      tell(messages.getFirst(), taken);

      eventually().untilAsserted(() -> assertThat(messages).hasSize(2));
      assertThat(sent.getLast()).isEqualTo(table.revision());
      assertThat(asked).noneMatch(CompletableFuture::isDone);
      tell(messages.getLast(), taken);
      assertThat(asked)
          .allMatch(CompletableFuture::isDone)
          .allMatch(sent -> sent.isCompletedExceptionally() != taken);
      table.stop();
    }
  }

  private static void tell(Message<? extends byte[]> message, boolean taken) {
    if (taken) {
      message.ack();
    } else {
      message.nack(new IOException("the broker is away"));
    }
  }
}
