package io.tinyfaas.gateway.journal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writers that each wait for their batch to be on the disk: 1 KiB put, and what was put 10,000
 * batches before removed, so that it is cleaned, too. {@code benchmark/journal} runs it.
 *
 * <p>What is written is what the kernel counts for this process: whole pages, without what the file
 * system writes of its own.
 */
final class JournalBenchmark {

  private static final int VALUE_BYTES = 1 << 10;
  private static final int LIVE = 10_000;
  private static final Duration WARM_UP = Duration.ofSeconds(2);
  private static final int MOST_LATENCIES = 1 << 22;

  private final Journal journal;
  private final AtomicLong next = new AtomicLong();
  private final long[] latencies = new long[MOST_LATENCIES];
  private int counted;
  private long countFrom;
  private long stopAt;

  private JournalBenchmark(Journal journal) {
    this.journal = journal;
  }

  /** A folder, made on the disk that is to be measured, and for how many seconds. */
  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    Duration each = Duration.ofSeconds(Long.parseLong(arguments[1]));
    System.out.println("| writers | batches/s | p50 ms | p99 ms | bytes written of each KiB |");
    System.out.println("| --- | --- | --- | --- | --- |");
    for (int writers : new int[] {1, 64, 1_024}) {
      try (Journal journal =
          Journal.open(folder.resolve("with-" + writers), 256L << 20, (key, value) -> {})) {
        System.out.println(new JournalBenchmark(journal).run(writers, each));
      }
    }
  }

  private String run(int writers, Duration measured) throws Exception {
    countFrom = System.nanoTime() + WARM_UP.toNanos();
    stopAt = countFrom + measured.toNanos();
    CompletableFuture<?>[] all = new CompletableFuture<?>[writers];
    for (int i = 0; i < writers; i++) {
      all[i] = new CompletableFuture<>();
      write(all[i]);
    }
    Thread.sleep(WARM_UP);
    long before = writtenBytes();
    long batches = next.get();
    CompletableFuture.allOf(all).get();
    long written = writtenBytes() - before;
    batches = next.get() - batches;
    Arrays.sort(latencies, 0, counted);
    return "| %,d | %,d | %.2f | %.2f | %,d |"
        .formatted(
            writers,
            batches / measured.toSeconds(),
            latencies[counted / 2] / 1e6,
            latencies[counted * 99 / 100] / 1e6,
            written / batches);
  }

  /** On the journal's thread from the second time on. */
  private void write(CompletableFuture<?> over) {
    long key = next.getAndIncrement();
    long from = System.nanoTime();
    journal
        .write(new Batch().put(key, new byte[VALUE_BYTES]).remove(key - LIVE))
        .whenComplete(
            (done, failure) -> {
              long now = System.nanoTime();
              if (failure != null) {
                over.completeExceptionally(failure);
              } else if (now >= stopAt) {
                over.complete(null);
              } else {
                if (now >= countFrom && counted < MOST_LATENCIES) {
                  latencies[counted++] = now - from;
                }
                write(over);
              }
            });
  }

  private static long writtenBytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/io")).stream()
        .filter(line -> line.startsWith("write_bytes: "))
        .mapToLong(line -> Long.parseLong(line.substring("write_bytes: ".length())))
        .findFirst()
        .orElseThrow();
  }
}
