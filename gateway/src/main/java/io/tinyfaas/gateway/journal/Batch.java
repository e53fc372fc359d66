package io.tinyfaas.gateway.journal;

import java.util.ArrayList;
import java.util.List;

/**
 * What is written together: all of it is there afterwards, or nothing. Of one key the last counts.
 */
public final class Batch {

  /** What a value may have at most, in bytes. */
  public static final int MAX_VALUE = 128 << 20;

  /** So that a place in a segment is an int. */
  static final long MAX_BYTES = 2L * MAX_VALUE;

  private final List<Entry> entries = new ArrayList<>(2);
  private long bytes;

  /**
   * @param value null: the key is removed
   */
  record Entry(long key, byte[] value) {

    int length() {
      return value == null ? RecordHeader.REMOVED : value.length;
    }

    int bytes() {
      return RecordHeader.BYTES + (value == null ? 0 : value.length);
    }
  }

  /**
   * @param value belongs to the journal from now on, and is not to be changed
   */
  public Batch put(long key, byte[] value) {
    if (value.length > MAX_VALUE) {
      throw new IllegalArgumentException(
          "A value of " + value.length + " bytes; it may have " + MAX_VALUE);
    }
    return add(new Entry(key, value));
  }

  public Batch remove(long key) {
    return add(new Entry(key, null));
  }

  private Batch add(Entry entry) {
    entries.add(entry);
    bytes += entry.bytes();
    return this;
  }

  List<Entry> entries() {
    return entries;
  }

  /** As they go into a frame. */
  long bytes() {
    return bytes;
  }
}
