package io.tinyfaas.gateway.journal;

import io.tinyfaas.gateway.journal.Segment.DamagedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jboss.logging.Logger;

/**
 * Gives back what dead records take: what is live in the oldest segment goes to the end, a piece at
 * a time, and then the segment goes. A removal in the oldest segment is of nothing that is still
 * there, so it needs no copy.
 */
final class Cleaner {

  private static final Logger LOG = Logger.getLogger(Cleaner.class);

  /** So that nothing is cleaned for little. */
  private static final int SPARE_SEGMENTS = 4;

  private static final int COPY_BYTES = 64 << 10;

  private final SegmentFolder folder;
  private final Index index;
  private final Tail tail;
  private final int segmentBytes;
  private final long againNanos;
  private final ByteBuffer copy = ByteBuffer.allocate(COPY_BYTES);
  private Segment oldest;
  private long[] keys;
  private int next;
  private Index.Place unreadable;
  private boolean failed;
  private long failedAt;

  Cleaner(SegmentFolder folder, Index index, Tail tail, JournalLimits limits) {
    this.folder = folder;
    this.index = index;
    this.tail = tail;
    this.segmentBytes = limits.segmentBytes();
    this.againNanos = limits.again().toNanos();
  }

  boolean isDue() {
    return oldest != null
        || folder.bytes(segmentBytes) > 2 * index.bytes() + (long) SPARE_SEGMENTS * segmentBytes;
  }

  /** Not for some time after it has failed. */
  boolean mayTry() {
    return !failed || System.nanoTime() - failedAt >= againNanos;
  }

  /**
   * One piece.
   *
   * @param bytes to copy at most, but for one record that is larger
   */
  void run(long bytes) {
    try {
      if (oldest == null) {
        begin();
      }
      copy(bytes);
      if (next == keys.length) {
        Segment cleaned = oldest;
        oldest = null;
        folder.delete(cleaned);
      }
      failed = false;
    } catch (IOException e) {
      tail.giveUpGroup();
      oldest = null;
      if (!failed) {
        LOG.errorf("event=journal-not-cleaned reason=\"%s\"", e.getMessage());
      }
      failed = true;
      failedAt = System.nanoTime();
    }
  }

  private void begin() {
    tail.endFullSegment();
    oldest = folder.segments().firstEntry().getValue();
    keys = index.keysIn(oldest.number());
    next = 0;
  }

  private void copy(long bytes) throws IOException {
    int first = next;
    int to = 0;
    int[] places = new int[keys.length - first];
    for (long left = bytes; next < keys.length && (left > 0); next++) {
      Index.Place place = live(keys[next]);
      if (place == null) {
        continue;
      }
      if (to == 0) {
        to = tail.beginGroup();
      }
      places[next - first] = copy(keys[next], place);
      left -= Index.cost(place.length());
    }
    if (to == 0) {
      return;
    }
    tail.endGroup();
    for (int i = first; i < next; i++) {
      if (places[i - first] != 0) {
        index.put(keys[i], to, places[i - first], index.find(keys[i]).length());
      }
    }
  }

  /**
   * @return null if it is dead by now
   */
  private Index.Place live(long key) {
    Index.Place place = index.find(key);
    return place != null && place.segment() == oldest.number() ? place : null;
  }

  /**
   * @return its new place, or 0 if it was damaged, or could not be read twice, and is gone
   */
  private int copy(long key, Index.Place place) throws IOException {
    RecordHeader header;
    try {
      header = oldest.check(key, place.offset(), place.length());
    } catch (IOException e) {
      if (!(e instanceof DamagedException) && !place.equals(unreadable)) {
        unreadable = place;
        throw e;
      }
      index.remove(key);
      LOG.errorf("event=journal-damaged file=%s places=1 reason=\"%s\"", oldest.file(), e);
      return 0;
    }
    tail.beginFrame(RecordHeader.BYTES + (long) place.length());
    int copied = tail.write(header);
    for (int done = 0; done < place.length(); done += copy.limit()) {
      copy.clear().limit(Math.min(COPY_BYTES, place.length() - done));
      oldest.read(copy, Segment.valueAt(place.offset()) + done);
      tail.write(copy.flip());
    }
    tail.endFrame();
    return copied;
  }
}
