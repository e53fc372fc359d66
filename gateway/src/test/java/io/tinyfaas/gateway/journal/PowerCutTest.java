package io.tinyfaas.gateway.journal;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Seed;
import java.io.IOException;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The power goes at any operation of the disk, also while the journal is opened after a cut. */
class PowerCutTest {

  private static final JournalLimits LIMITS =
      new JournalLimits(1 << 20, 2 << 10, 1 << 10, 1 << 20, Duration.ofDays(1));

  private static final int HISTORIES = 100;
  private static final int CUTS = 10;

  @RegisterExtension final Seed seed = new Seed();

  @Test
  void shouldHaveWhatWasCompletedAndNothingByHalves() throws Exception {
    Random random = seed.random();
    for (int history = 0; history < HISTORIES; history++) {
      liveAndDie(new PlayedDisk(random), new Workload(random), random);
    }
  }

  private static void liveAndDie(PlayedDisk disk, Workload workload, Random random)
      throws Exception {
    for (int cuts = 0; cuts < CUTS; cuts++) {
      if (random.nextInt(3) == 0) {
        disk.cutAfter(1 + random.nextInt(40));
      }
      Records found = new Records();
      try {
        Journal journal = Journal.opened(disk.folder(), LIMITS, found);
        workload.check(found);
        assertThat(journal.damaged()).isZero();
        disk.cutAfter(1 + random.nextInt(random.nextBoolean() ? 20 : 200));
        workload.run(journal, disk::isOff);
        journal.close();
      } catch (IOException e) {
        assertThat(disk.isOff()).as("%s", e).isTrue();
      }
      if (random.nextInt(5) == 0) {
        disk.restartProcess();
      } else {
        disk.restart();
      }
    }
  }
}
