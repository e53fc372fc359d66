package io.tinyfaas.gateway.journal;

import static io.tinyfaas.gateway.journal.Records.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Eventually;
import io.tinyfaas.harness.Seed;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process of its own that writes on the real disk, and is killed with SIGKILL, again and again.
 */
class KilledJournalIT {

  private static final int LIVES = 3;
  private static final int KEYS = 50;
  private static final JournalLimits LIMITS =
      new JournalLimits(1 << 20, 16 << 10, 16 << 10, 1 << 20, Duration.ofSeconds(1));

  @RegisterExtension final Seed seed = new Seed();
  @TempDir Path folder;

  @Test
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  void shouldHaveWhatItSaidThatItHas() throws Exception {
    Random random = seed.random();
    long last = -1;
    for (int life = 0; life < LIVES; life++) {
      last = liveAndDie(last + 1, random.nextInt(500));
      Records found = new Records();
      try (Journal journal = Records.open(folder, LIMITS, found)) {
        assertThat(journal.damaged()).isZero();
      }
      for (long number = Math.max(0, last - KEYS + 1); number <= last; number++) {
        String value = found.get(number % KEYS);
        // What came after it may be there instead, all of it.
        assertThat(Long.parseLong(value.strip())).isGreaterThanOrEqualTo(number);
        assertThat(value).hasSize(Writer.LENGTH);
        assertThat(found.get(number % KEYS + KEYS)).isEqualTo(value);
      }
    }
  }

  /** What the process said last. */
  private long liveAndDie(long first, int lines) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Writer.class.getName(),
                folder.toString(),
                Long.toString(first))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    long last = first - 1;
    try (BufferedReader output = process.inputReader(StandardCharsets.ISO_8859_1)) {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        last = Long.parseLong(line);
        if (last == first + lines) {
          // Of the process itself, this would close its output, too.
          process.toHandle().destroyForcibly();
        }
      }
    }
    assertThat(
            process.waitFor(
                Eventually.patient(Duration.ofSeconds(20)).toSeconds(), TimeUnit.SECONDS))
        .isTrue();
    assertThat(last).isGreaterThanOrEqualTo(first + lines);
    return last;
  }

  /** Writes numbers, each under two keys, and prints each that is on the disk. */
  static final class Writer {

    static final int LENGTH = 700;

    private Writer() {}

    public static void main(String[] arguments) throws Exception {
      Journal journal = Records.open(Path.of(arguments[0]), LIMITS, new Records());
      for (long number = Long.parseLong(arguments[1]); ; number++) {
        byte[] value = Records.bytes(("%-" + LENGTH + "d").formatted(number));
        await(
            journal.write(new Batch().put(number % KEYS, value).put(number % KEYS + KEYS, value)));
        System.out.println(number);
      }
    }
  }
}
