package io.tinyfaas.gateway.journal;

import static io.tinyfaas.gateway.journal.Records.await;
import static io.tinyfaas.gateway.journal.Records.batch;
import static io.tinyfaas.gateway.journal.Records.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {

  private static final int SEGMENT = 4 << 10;
  private static final JournalLimits SMALL =
      new JournalLimits(64 << 10, SEGMENT, 8 << 10, 64 << 10, Duration.ZERO);

  private static final JournalLimits LARGE =
      new JournalLimits(1 << 20, 1 << 20, 8 << 10, 1 << 20, Duration.ZERO);

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
    Map<Long, Integer> seen = new TreeMap<>();
    Journal.Visitor even =
        new Journal.Visitor() {
          @Override
          public boolean wants(long key) {
            return key % 2 == 0;
          }

          @Override
          public void record(long key, ByteBuffer value) {
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

  @Test
  void shouldSyncOnceForAllThatWaits() throws Exception {
    PlayedDisk disk = new PlayedDisk(new Random(1));
    Journal journal = Records.open(disk.folder(), LARGE, new Records());
    await(journal.write(batch(0, "first")));
    List<CompletableFuture<Void>> written = new ArrayList<>();
    int before = disk.syncs();
    synchronized (disk) {
      for (int i = 0; i < 100; i++) {
        written.add(journal.write(batch(i, "value")));
      }
    }
    for (CompletableFuture<Void> each : written) {
      await(each);
    }
    // The first ones may have been taken before the others came.
    assertThat(disk.syncs() - before).isBetween(1, 2);
    journal.close();
  }

  @Test
  void shouldRefuseWhatWouldWaitBehindTooMuch() throws Exception {
    PlayedDisk disk = new PlayedDisk(new Random(1));
    Journal journal = Records.open(disk.folder(), SMALL, new Records());
    await(journal.write(batch(1, "there")));
    List<CompletableFuture<Void>> written = new ArrayList<>();
    CompletableFuture<Void> becameOfIt;
    synchronized (disk) {
      CompletableFuture<Void> last;
      do {
        last = journal.write(batch(1, "x".repeat(20_000)));
        written.add(last);
      } while (!last.isDone());
      assertThat(written).hasSizeBetween(4, 6);
      becameOfIt = journal.write(batch(1, "small"));
    }
    assertThatThrownBy(() -> await(written.removeLast()))
        .isInstanceOf(JournalFullException.class)
        .hasMessageContaining("wait to be written");
    for (CompletableFuture<Void> each : written) {
      await(each);
    }
    await(becameOfIt);
    assertThat(await(journal.read(1))).isEqualTo(bytes("small"));
    journal.close();
  }

  @Test
  void shouldKeepLargeValues() throws Exception {
    byte[] large = new byte[3 << 20];
    new Random(1).nextBytes(large);
    try (Journal journal = Journal.open(folder, 16 << 20, new Records())) {
      await(journal.write(batch(1, "small").put(2, large).put(3, bytes("behind"))));
      assertThat(await(journal.read(2))).isEqualTo(large);
      assertThatThrownBy(() -> await(journal.write(new Batch().put(4, new byte[16 << 20]))))
          .isInstanceOf(JournalFullException.class);
    }
    try (Journal journal = Journal.open(folder, 16 << 20, new Records())) {
      // So much that it has to go to the end when the segment that it is in is cleaned.
      for (int i = 0; i < 30; i++) {
        await(journal.write(new Batch().put(5, new byte[1 << 20])));
      }
      assertThat(await(journal.read(2))).isEqualTo(large);
      assertThat(await(journal.read(3))).isEqualTo(bytes("behind"));
    }
  }

  @Test
  void shouldReadWhileItCleans() throws Exception {
    try (Journal journal = Journal.opened(folder, SMALL, new Records())) {
      journal.start();
      await(journal.write(batch(1, "stays")));
      CompletableFuture<Void> writes = CompletableFuture.completedFuture(null);
      for (int i = 0; i < 400; i++) {
        long key = 2 + i % 3;
        writes = writes.thenCompose(done -> journal.write(batch(key, "x".repeat(2_000))));
      }
      do {
        assertThat(await(journal.read(1))).isEqualTo(bytes("stays"));
      } while (!writes.isDone());
      await(writes);
    }
  }

  @Test
  void shouldRemoveWhatIsNotThere() throws Exception {
    try (Journal journal = Journal.open(folder, 1 << 20, new Records())) {
      await(journal.write(new Batch().remove(1)));
      await(journal.write(new Batch()));
      assertThat(journal.bytes()).isZero();
    }
    assertThat(Records.in(folder)).isEmpty();
  }

  @Test
  void shouldNotGrowByBeingOpened() throws Exception {
    for (int i = 0; i < 20; i++) {
      try (Journal journal = Records.open(folder, SMALL, new Records())) {
        await(journal.write(batch(1, "again")));
      }
    }
    assertThat(segments()).hasSizeLessThanOrEqualTo(6);
    assertThat(Records.in(folder)).isEqualTo(Map.of(1L, "again"));
  }

  private List<Path> segments() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".segment")).toList();
    }
  }
}
