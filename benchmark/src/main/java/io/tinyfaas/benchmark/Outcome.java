package io.tinyfaas.benchmark;

import java.time.Duration;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.PackedHistogram;

/**
 * What one run came to.
 *
 * @param latencies of the operations that succeeded, in nanoseconds
 * @param timeouts operations without an answer in time
 * @param wrongAnswers operations answered by another code, or by another payload than the target's
 *     first
 * @param elapsed from the first request to the end of the last operation
 * @param generatorCpu processor time of the clients' threads
 */
record Outcome(
    Histogram latencies,
    long timeouts,
    long wrongAnswers,
    Duration elapsed,
    Duration generatorCpu) {

  /** One hour: far beyond any timeout. */
  private static final long HIGHEST = TimeUnit.HOURS.toNanos(1);

  /** Keeps no room for latencies that did not occur: of hundreds of runs it would fill the heap. */
  Outcome {
    Histogram occurred = new PackedHistogram(latencies);
    occurred.add(latencies);
    latencies = occurred;
  }

  static Histogram histogram() {
    return new Histogram(HIGHEST, 3);
  }

  long succeeded() {
    return latencies.getTotalCount();
  }

  long failed() {
    return timeouts + wrongAnswers;
  }

  long operations() {
    return succeeded() + failed();
  }

  /** Operations per second that succeeded. */
  double throughput() {
    return succeeded() * 1e9 / elapsed.toNanos();
  }

  /**
   * The latency in milliseconds that so many percent of all operations stayed within; empty where
   * it falls among the failed ones.
   */
  OptionalDouble percentile(double percent) {
    long rank = (long) Math.ceil(operations() * percent / 100);
    if (rank > succeeded() || succeeded() == 0) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(
        latencies.getValueAtPercentile(100.0 * rank / succeeded()) / 1_000_000.0);
  }
}
