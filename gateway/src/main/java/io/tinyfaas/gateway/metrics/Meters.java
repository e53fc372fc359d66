package io.tinyfaas.gateway.metrics;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What is counted and measured of one function by one protocol, in a third of a kilobyte: there are
 * up to 4,000 of these. Counted on the event loop, read by whoever wants to know.
 */
final class Meters {

  /** The upper ends of the buckets, in milliseconds; the last has none. */
  static final int[] BUCKETS = {1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 30_000};

  private static final long[] BUCKET_NANOS = new long[BUCKETS.length];

  /** The longest is told of those that ended within one or two of these. */
  private static final long MAX_WINDOW_NANOS = TimeUnit.MINUTES.toNanos(1);

  static {
    for (int i = 0; i < BUCKETS.length; i++) {
      BUCKET_NANOS[i] = TimeUnit.MILLISECONDS.toNanos(BUCKETS[i]);
    }
  }

  private final long[] durations = new long[BUCKETS.length + 1];
  private String[] outcomes = new String[0];
  private long[] counts = new long[0];
  private long sum;
  private long longest;
  private long longestBefore;
  private long windowSince;

  synchronized void count(String outcome) {
    int index = 0;
    while (index < outcomes.length && !outcomes[index].equals(outcome)) {
      index++;
    }
    if (index == outcomes.length) {
      outcomes = Arrays.copyOf(outcomes, index + 1);
      counts = Arrays.copyOf(counts, index + 1);
      outcomes[index] = outcome;
    }
    counts[index]++;
  }

  /**
   * @param now as {@link System#nanoTime}
   */
  synchronized void time(long nanos, long now) {
    int bucket = 0;
    while (bucket < BUCKETS.length && nanos > BUCKET_NANOS[bucket]) {
      bucket++;
    }
    durations[bucket]++;
    sum += nanos;
    turn(now);
    longest = Math.max(longest, nanos);
  }

  private void turn(long now) {
    long gone = now - windowSince;
    if (gone >= MAX_WINDOW_NANOS) {
      longestBefore = gone < 2 * MAX_WINDOW_NANOS ? longest : 0;
      longest = 0;
      windowSince = now;
    }
  }

  /** By outcome. */
  synchronized Map<String, Long> counts() {
    Map<String, Long> all = new LinkedHashMap<>();
    for (int i = 0; i < outcomes.length; i++) {
      all.put(outcomes[i], counts[i]);
    }
    return all;
  }

  /**
   * How long invocations took, in nanoseconds.
   *
   * @param within how many took no longer than each of {@link #BUCKETS}, and at last all
   */
  record Durations(long[] within, long sum, long longest) {
    long count() {
      return within[within.length - 1];
    }
  }

  /**
   * @param now as {@link System#nanoTime}
   */
  synchronized Durations durations(long now) {
    turn(now);
    long[] within = durations.clone();
    for (int i = 1; i < within.length; i++) {
      within[i] += within[i - 1];
    }
    return new Durations(within, sum, Math.max(longest, longestBefore));
  }
}
