package io.tinyfaas.gateway.journal;

import static io.tinyfaas.gateway.journal.Records.await;
import static io.tinyfaas.gateway.journal.Records.batch;
import static io.tinyfaas.gateway.journal.Records.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.gateway.journal.PlayedDisk.Fault;
import io.tinyfaas.harness.Seed;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class FailingDiskTest {

  private static final JournalLimits LIMITS =
      new JournalLimits(1 << 20, 2 << 10, 8 << 10, 1 << 20, Duration.ZERO);

  private static final int HISTORIES = 60;
  private static final int LIVES = 5;
  private static final int MOST_IN_DOUBT = 8;

  @RegisterExtension final Seed seed = new Seed();

  @Test
  void shouldFailWhatCouldNotBeWrittenAndKeepTheRest() throws Exception {
    Random random = seed.random();
    for (int history = 0; history < HISTORIES; history++) {
      PlayedDisk disk = new PlayedDisk(random);
      Workload workload = new Workload(random);
      for (int life = 0; life < LIVES; life++) {
        Records found = new Records();
        Journal journal = Journal.opened(disk.folder(), LIMITS, found);
        workload.check(found);
        assertThat(journal.damaged()).isZero();
        workload.run(journal, badTimesAndGoodOnes(disk, workload, random));
        workload.checkCertain(journal);
        assertThat(workload.failed()).isZero();
        disk.killProcess();
        journal.close();
        if (random.nextBoolean()) {
          disk.restart();
        } else {
          disk.restartProcess();
        }
      }
    }
  }

  @Test
  void shouldKeepTheRestWhenThePowerGoesWhileTheDiskFails() throws Exception {
    Random random = seed.random();
    for (int history = 0; history < HISTORIES; history++) {
      PlayedDisk disk = new PlayedDisk(random);
      Workload workload = new Workload(random);
      for (int life = 0; life < LIVES; life++) {
        Records found = new Records();
        Journal journal = Journal.opened(disk.folder(), LIMITS, found);
        workload.check(found);
        assertThat(journal.damaged()).isZero();
        disk.failOneIn(2 + random.nextInt(10), EnumSet.complementOf(EnumSet.of(Fault.READ)));
        disk.cutAfter(1 + random.nextInt(150));
        workload.run(journal, () -> disk.isOff() || workload.failed() >= MOST_IN_DOUBT);
        disk.killProcess();
        journal.close();
        disk.failOneIn(1, Set.of());
        disk.restart();
      }
    }
  }

  /** The last rounds are good ones. */
  private static BooleanSupplier badTimesAndGoodOnes(
      PlayedDisk disk, Workload workload, Random random) {
    int[] rounds = {0};
    return () -> {
      if (rounds[0] % 15 == 0 || workload.failed() >= MOST_IN_DOUBT) {
        disk.failOneIn(1, Set.of());
      } else if (rounds[0] % 15 == 7) {
        disk.failOneIn(2 + random.nextInt(20), EnumSet.complementOf(EnumSet.of(Fault.READ)));
      }
      return rounds[0]++ > 46;
    };
  }

  @Test
  void shouldFailOnlyTheGroupThatWasNotSynced() throws Exception {
    PlayedDisk disk = new PlayedDisk(seed.random());
    Journal journal = Records.open(disk.folder(), LIMITS, new Records());
    await(journal.write(batch(1, "before")));
    disk.failOneIn(1, Set.of(Fault.SYNC));
    List<CompletableFuture<Void>> failing =
        List.of(journal.write(batch(2, "new")), journal.write(batch(1, "replaced")));
    for (CompletableFuture<Void> each : failing) {
      assertThatThrownBy(() -> await(each))
          .isInstanceOf(IOException.class)
          .isNotInstanceOf(JournalFullException.class);
    }
    disk.failOneIn(1, Set.of());
    assertThat(await(journal.read(1))).isEqualTo(bytes("before"));
    assertThatThrownBy(() -> await(journal.read(2))).hasMessageContaining("no record");
    await(journal.write(batch(3, "after")));
    journal.close();
    disk.restart();
    Records found = new Records();
    Journal.opened(disk.folder(), LIMITS, found);
    assertThat(found).containsOnly(Map.entry(1L, "before"), Map.entry(3L, "after"));
  }

  @Test
  void shouldTakeWhatBecameOfTheRestOnAFullDisk() throws Exception {
    PlayedDisk disk = new PlayedDisk(seed.random());
    Journal journal = Records.open(disk.folder(), LIMITS, new Records());
    for (long key = 0; key < 10; key++) {
      await(journal.write(batch(key, "waiting")));
    }
    disk.setCapacity(disk.used());
    assertThatThrownBy(() -> await(journal.write(batch(10, "new"))))
        .isInstanceOf(IOException.class)
        .isNotInstanceOf(JournalFullException.class);
    for (long key = 0; key < 10; key++) {
      await(journal.write(batch(key, "running")));
      await(journal.write(new Batch().remove(key)));
    }
    assertThatThrownBy(() -> await(journal.write(batch(10, "new"))))
        .isInstanceOf(IOException.class);
    disk.setCapacity(1 << 20);
    await(journal.write(batch(10, "new")));
    journal.close();
    disk.restart();
    Records found = new Records();
    Journal.opened(disk.folder(), LIMITS, found);
    assertThat(found).containsOnly(Map.entry(10L, "new"));
  }

  @Test
  void shouldLoseNothingWhenAReadFailsOnceWhileItCleans() throws Exception {
    PlayedDisk disk = new PlayedDisk(seed.random());
    Journal journal = Records.open(disk.folder(), LIMITS, new Records());
    await(journal.write(batch(0, "stays")));
    for (int i = 0; i < 300; i++) {
      if (i % 20 == 0) {
        disk.failOnce(Fault.READ);
      }
      await(journal.write(batch(1 + i % 3, "x".repeat(700))));
    }
    disk.failOneIn(1, Set.of());
    assertThat(await(journal.read(0))).isEqualTo(bytes("stays"));
    journal.close();
    assertThat(disk.failures()).isGreaterThan(1);
  }
}
