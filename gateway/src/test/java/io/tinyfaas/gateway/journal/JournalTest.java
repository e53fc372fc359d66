package io.tinyfaas.gateway.journal;

import static io.tinyfaas.gateway.journal.Records.await;
import static io.tinyfaas.gateway.journal.Records.batch;
import static io.tinyfaas.gateway.journal.Records.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {

  private static final int SEGMENT = 4 << 10;
  private static final JournalLimits SMALL =
      new JournalLimits(64 << 10, SEGMENT, 8 << 10, 64 << 10, Duration.ZERO);

  @TempDir Path folder;

  @Test
  void shouldHandOverWhatWasWrittenReplacedAndNotRemoved() throws Exception {
    try (Journal journal = Journal.open(folder, 1 << 20, new Records())) {
      await(journal.write(batch(1, "one").put(2, bytes("two"))));
      await(journal.write(batch(3, "three").remove(1)));
      await(journal.write(batch(2, "zwei").put(4, bytes(""))));
      assertThat(await(journal.read(2))).isEqualTo(bytes("zwei"));
    }
    assertThat(Records.in(folder)).isEqualTo(Map.of(2L, "zwei", 3L, "three", 4L, ""));
  }

  @Test
  void shouldReadOnlyWhatTheVisitorWants() throws Exception {
    try (Journal journal = Journal.open(folder, 1 << 20, new Records())) {
      await(journal.write(batch(1, "one").put(2, bytes("two"))));
    }
    Map<Long, Integer> seen = new java.util.TreeMap<>();
    Journal.Visitor even =
        new Journal.Visitor() {
          @Override
          public boolean wants(long key) {
            return key % 2 == 0;
          }

          @Override
          public void record(long key, java.nio.ByteBuffer value) {
            seen.put(key, value.remaining());
          }
        };
    try (Journal journal = Journal.open(folder, 1 << 20, even)) {
      assertThat(seen).isEqualTo(Map.of(2L, 3));
      assertThat(await(journal.read(1))).isEqualTo(bytes("one"));
    }
  }

  @Test
  void shouldCountTheLastOfAKeyInABatch() throws Exception {
    try (Journal journal = Journal.open(folder, 1 << 20, new Records())) {
      await(
          journal.write(
              batch(1, "first").remove(1).put(1, bytes("last")).put(2, bytes("")).remove(2)));
    }
    assertThat(Records.in(folder)).isEqualTo(Map.of(1L, "last"));
  }

  @Test
  void shouldCleanWhatIsDeadAndKeepWhatIsNot() throws Exception {
    try (Journal journal = Records.open(folder, SMALL, new Records())) {
      await(journal.write(batch(1_000, "stays")));
      for (int i = 0; i < 500; i++) {
        await(journal.write(batch(i, "x".repeat(1_000)).remove(i - 5)));
      }
      for (int i = 495; i < 500; i++) {
        await(journal.write(new Batch().remove(i)));
      }
      assertThat(await(journal.read(1_000))).isEqualTo(bytes("stays"));
      assertThat(journal.bytes()).isEqualTo(Index.cost(5));
    }
    assertThat(segments()).hasSizeLessThanOrEqualTo(10);
    assertThat(Records.in(folder)).isEqualTo(Map.of(1_000L, "stays"));
  }

  @Test
  void shouldRefuseAFolderThatIsOpen() throws Exception {
    try (Journal journal = Journal.open(folder, 1 << 20, new Records())) {
      assertThatThrownBy(() -> Journal.open(folder, 1 << 20, new Records()))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("in use by another gateway");
      await(journal.write(batch(1, "one")));
    }
    assertThat(Records.in(folder)).containsOnlyKeys(1L);
  }

  @Test
  void shouldRefuseWhatHasNoRoomAndTakeWhatBecameOfTheRest() throws Exception {
    try (Journal journal = Records.open(folder, SMALL, new Records())) {
      int key = 0;
      while (journal.hasRoom(1_100)) {
        await(journal.write(batch(key++, "x".repeat(1_000))));
      }
      int next = key;
      assertThatThrownBy(() -> await(journal.write(batch(next, "x".repeat(4_000)))))
          .isInstanceOf(JournalFullException.class);
      await(journal.write(batch(0, "y".repeat(4_000))));
      await(journal.write(new Batch().remove(1).remove(2).remove(3).remove(4)));
      await(journal.write(batch(next, "z")));
      assertThat(await(journal.read(0))).hasSize(4_000);
    }
  }

  @Test
  void shouldKeepWhatWasWrittenBeforeItWasClosed() throws Exception {
    List<CompletableFuture<Void>> written = new ArrayList<>();
    try (Journal journal = Journal.open(folder, 1 << 20, new Records())) {
      for (int i = 0; i < 1_000; i++) {
        written.add(journal.write(batch(i, "value " + i)));
      }
    }
    for (CompletableFuture<Void> each : written) {
      await(each);
    }
    assertThat(Records.in(folder)).hasSize(1_000);
  }

  @Test
  void shouldFailWhatComesAfterItWasClosed() throws Exception {
    Journal journal = Journal.open(folder, 1 << 20, new Records());
    journal.close();
    assertThatThrownBy(() -> await(journal.write(batch(1, "late")))).hasMessageContaining("closed");
    assertThatThrownBy(() -> await(journal.read(1))).hasMessageContaining("closed");
    journal.close();
  }

  private List<Path> segments() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".segment")).toList();
    }
  }
}
