package io.tinyfaas.gateway.journal;

import static io.tinyfaas.gateway.journal.Records.await;
import static io.tinyfaas.gateway.journal.Records.batch;
import static io.tinyfaas.gateway.journal.Records.bytes;
import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tinyfaas.harness.SmallDisk;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a real file system of 2 MiB, which is much less than the journal may have. */
class JournalOnAFullDiskTest {

  private static final JournalLimits LIMITS =
      new JournalLimits(1 << 30, 64 << 10, 64 << 10, 1 << 20, Duration.ZERO);

  @TempDir Path folder;
  private SmallDisk disk;
  private Journal journal;

  @BeforeEach
  void open() throws Exception {
    disk = new SmallDisk(folder);
    journal = Records.open(folder.resolve("journal"), LIMITS, new Records());
  }

  @AfterEach
  void close() {
    journal.close();
    disk.close();
  }

  /** As a call is accepted. */
  private void accept(long call) throws Exception {
    await(journal.write(batch(2 * call, "waiting").put(2 * call + 1, new byte[8_000])));
  }

  private long acceptUntilItIsFull() {
    long[] calls = {0};
    Throwable failure = null;
    while (failure == null) {
      failure = catchThrowable(() -> accept(calls[0]));
      calls[0]++;
    }
    assertThat(failure).isInstanceOf(IOException.class).isNotInstanceOf(JournalFullException.class);
    return calls[0] - 1;
  }

  @Test
  void shouldTakeWhatBecameOfTheRestAndGoOnWhenThatMadeRoom() throws Exception {
    long calls = acceptUntilItIsFull();
    assertThat(calls).isGreaterThan(150);
    for (long call = 0; call < calls; call++) {
      await(journal.write(batch(2 * call, "running")));
      if (call % 50 > 0) {
        await(journal.write(new Batch().remove(2 * call).remove(2 * call + 1)));
      }
    }
    eventually().until(() -> catchThrowable(() -> accept(calls)) == null);
    for (long call = calls + 1; call < calls + 100; call++) {
      accept(call);
    }
    reopen();
    for (long call = 0; call < calls; call += 50) {
      assertThat(await(journal.read(2 * call))).isEqualTo(bytes("running"));
      assertThat(await(journal.read(2 * call + 1))).hasSize(8_000);
    }
    assertThat(await(journal.read(2 * calls + 99))).hasSize(8_000);
    assertThatThrownBy(() -> await(journal.read(2))).hasMessageContaining("no record");
  }

  @Test
  void shouldGoOnWhenSomebodyElseMakesRoom() throws Exception {
    accept(1);
    disk.fillUpTo(0);
    for (int i = 0; i < 10; i++) {
      acceptUntilItIsFull();
    }
    await(journal.write(batch(2, "running")));
    disk.makeRoom();
    eventually().until(() -> catchThrowable(() -> accept(100)) == null);
    reopen();
    assertThat(await(journal.read(2))).isEqualTo(bytes("running"));
    assertThat(await(journal.read(201))).hasSize(8_000);
  }

  @Test
  void shouldOpenOnAFullDisk() throws Exception {
    accept(1);
    disk.fillUpTo(0);
    reopen();
    assertThat(await(journal.read(3))).hasSize(8_000);
    await(journal.write(new Batch().remove(2).remove(3)));
    reopen();
    assertThat(journal.bytes()).isZero();
  }

  private void reopen() throws Exception {
    journal.close();
    journal = Records.open(folder.resolve("journal"), LIMITS, new Records());
    assertThat(journal.damaged()).isZero();
  }
}
