package io.tinyfaas.gateway.journal;

import java.time.Duration;

/**
 * @param maxBytes of live records
 * @param segmentBytes from which on a segment gets no more frames
 * @param reserveBytes what small records of keys that are there may take beyond {@code maxBytes},
 *     and what is kept on the disk for them
 * @param waitingBytes what may wait to be written; a single batch may be larger
 * @param again how long nothing is tried on the disk's account that has just failed
 */
record JournalLimits(
    long maxBytes, int segmentBytes, int reserveBytes, long waitingBytes, Duration again) {

  private static final int MEBIBYTE = 1 << 20;

  JournalLimits {
    if (maxBytes <= 0 || segmentBytes <= SegmentHeader.BYTES || reserveBytes <= 0) {
      throw new IllegalArgumentException("A journal without room: " + maxBytes + " bytes");
    }
  }

  /** Some 70 files at most, as long as they are not more than 2 GiB. */
  static JournalLimits of(long maxBytes) {
    return new JournalLimits(
        maxBytes,
        (int) Math.clamp(maxBytes / 32, MEBIBYTE, 64L * MEBIBYTE),
        (int) Math.clamp(maxBytes / 16, MEBIBYTE / 16, 4L * MEBIBYTE),
        16L * MEBIBYTE,
        Duration.ofSeconds(1));
  }
}
