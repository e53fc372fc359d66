package io.tinyfaas.gateway.journal;

import java.util.Arrays;

/**
 * Where the live record of each key is. Arrays of primitives, open addressing, at most four fifths
 * full and half as large again when they grow: 25 to 38 bytes for each record, and while it grows
 * once more as much. It does not shrink. The journal's thread changes it, others look.
 */
final class Index {

  /** Segments are counted from 1. */
  private static final int EMPTY = 0;

  private static final int LEAST = 64;

  private long[] keys = new long[LEAST];
  private int[] segments = new int[LEAST];
  private int[] offsets = new int[LEAST];
  private int[] lengths = new int[LEAST];
  private int size;
  private long bytes;

  record Place(int segment, int offset, int length) {}

  /**
   * @return null if there is none
   */
  synchronized Place find(long key) {
    int at = slot(key);
    return segments[at] == EMPTY ? null : new Place(segments[at], offsets[at], lengths[at]);
  }

  synchronized void put(long key, int segment, int offset, int length) {
    int at = slot(key);
    if (segments[at] == EMPTY) {
      if (5L * (size + 1) > 4L * keys.length) {
        grow();
        at = slot(key);
      }
      size++;
    } else {
      bytes -= cost(lengths[at]);
    }
    bytes += cost(length);
    set(at, key, segment, offset, length);
  }

  synchronized void remove(long key) {
    int hole = slot(key);
    if (segments[hole] == EMPTY) {
      return;
    }
    size--;
    bytes -= cost(lengths[hole]);
    // Those behind it move up, or they would not be found any more.
    for (int at = next(hole); segments[at] != EMPTY; at = next(at)) {
      int home = home(keys[at]);
      if (hole <= at ? home <= hole || home > at : home <= hole && home > at) {
        set(hole, keys[at], segments[at], offsets[at], lengths[at]);
        hole = at;
      }
    }
    segments[hole] = EMPTY;
  }

  synchronized int size() {
    return size;
  }

  /** What the live records take, each in a frame of its own. */
  synchronized long bytes() {
    return bytes;
  }

  /** By their places, so that they are read in their order. */
  synchronized long[] keysIn(int segment) {
    long[] found = new long[size];
    int count = 0;
    for (int at = 0; at < keys.length; at++) {
      if (segments[at] == segment) {
        found[count++] = (long) offsets[at] << 32 | at;
      }
    }
    Arrays.sort(found, 0, count);
    long[] sorted = new long[count];
    for (int i = 0; i < count; i++) {
      sorted[i] = keys[(int) found[i]];
    }
    return sorted;
  }

  static long cost(int length) {
    return FrameHeader.RECORD_OVERHEAD + (long) length;
  }

  private int slot(long key) {
    int at = home(key);
    while (segments[at] != EMPTY && keys[at] != key) {
      at = next(at);
    }
    return at;
  }

  private int home(long key) {
    long mixed = key * 0x9E37_79B9_7F4A_7C15L;
    return (int) (((mixed >>> 32) * keys.length) >>> 32);
  }

  private int next(int at) {
    return at + 1 == keys.length ? 0 : at + 1;
  }

  private void set(int at, long key, int segment, int offset, int length) {
    keys[at] = key;
    segments[at] = segment;
    offsets[at] = offset;
    lengths[at] = length;
  }

  private void grow() {
    long[] oldKeys = keys;
    int[] oldSegments = segments;
    int[] oldOffsets = offsets;
    int[] oldLengths = lengths;
    int larger = oldKeys.length + oldKeys.length / 2;
    keys = new long[larger];
    segments = new int[larger];
    offsets = new int[larger];
    lengths = new int[larger];
    for (int at = 0; at < oldKeys.length; at++) {
      if (oldSegments[at] != EMPTY) {
        set(slot(oldKeys[at]), oldKeys[at], oldSegments[at], oldOffsets[at], oldLengths[at]);
      }
    }
  }
}
