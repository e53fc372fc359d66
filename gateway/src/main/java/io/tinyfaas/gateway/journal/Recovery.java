package io.tinyfaas.gateway.journal;

import io.tinyfaas.gateway.journal.Segment.DamagedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.LongPredicate;
import java.util.function.ObjLongConsumer;
import org.jboss.logging.Logger;

/** Reads what is in the folder when it is opened, and leaves out what is damaged. */
final class Recovery {

  private static final Logger LOG = Logger.getLogger(Recovery.class);

  private final SegmentFolder folder;
  private final Index index;
  private final Deque<Found> found = new ArrayDeque<>();
  private int damaged;

  Recovery(SegmentFolder folder, Index index) {
    this.folder = folder;
    this.index = index;
  }

  /**
   * @param header empty if it is damaged
   * @param told what the segment after it says of it, in which its number is the previous one
   */
  private record Found(
      Segment segment, Optional<SegmentHeader> header, Optional<SegmentHeader> told) {}

  /** Brings the index up to what is there. */
  void run() throws IOException {
    for (Segment segment : folder.segments().descendingMap().values()) {
      find(segment);
    }
    for (Found each : found) {
      read(each);
    }
    if (!found.isEmpty()) {
      // A process that was killed may have left in the page cache what is handed over as kept now.
      found.getLast().segment().force();
    }
  }

  /** Places and records that could not be read. */
  int damaged() {
    return damaged;
  }

  /** From the newest to the oldest. */
  private void find(Segment segment) throws IOException {
    Optional<SegmentHeader> header = header(segment);
    Optional<SegmentHeader> next = found.isEmpty() ? Optional.empty() : found.getFirst().header();
    if (found.isEmpty() && header.isEmpty() && isEmpty(segment)) {
      // It was not finished, and nothing comes after it.
      folder.delete(segment);
    } else {
      Optional<SegmentHeader> told = next.filter(it -> it.previous() == segment.number());
      found.addFirst(new Found(segment, header, told));
    }
  }

  private static Optional<SegmentHeader> header(Segment segment) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(SegmentHeader.BYTES);
    try {
      segment.read(bytes, 0);
    } catch (IOException e) {
      return Optional.empty();
    }
    return SegmentHeader.read(bytes.flip(), segment.file())
        .filter(it -> it.number() == segment.number() && it.nonce() == segment.nonce());
  }

  private static boolean isEmpty(Segment segment) throws IOException {
    SegmentScan scan = new SegmentScan(segment, Long.MAX_VALUE, 0);
    scan.run((key, offset, length) -> {});
    return scan.frames() == 0;
  }

  private void read(Found each) throws IOException {
    Segment segment = each.segment();
    SegmentScan scan =
        new SegmentScan(
            segment,
            each.told().map(SegmentHeader::previousLength).orElse(Long.MAX_VALUE),
            each.told().map(SegmentHeader::previousSynced).orElse(0L));
    scan.run((key, offset, length) -> apply(segment.number(), key, offset, length));
    segment.settle(scan.end(), scan.synced());
    int places = scan.damaged() + (each.header().isEmpty() ? 1 : 0);
    Integer before = folder.segments().lowerKey(segment.number());
    if (before != null && each.header().filter(it -> it.previous() > before).isPresent()) {
      places++; // The previous one is missing.
    }
    report(segment, places);
  }

  private void apply(int segment, long key, int offset, int length) {
    if (length == RecordHeader.REMOVED) {
      index.remove(key);
    } else {
      index.put(key, segment, offset, length);
    }
  }

  /** Hands over what is there after all of it was read. */
  void visit(LongPredicate wanted, ObjLongConsumer<ByteBuffer> visitor) throws IOException {
    for (Found each : found) {
      Segment segment = each.segment();
      int places = 0;
      for (long key : index.keysIn(segment.number())) {
        if (wanted.test(key)) {
          Index.Place place = index.find(key);
          try {
            byte[] value = segment.value(key, place.offset(), place.length());
            visitor.accept(ByteBuffer.wrap(value), key);
          } catch (DamagedException e) {
            index.remove(key);
            places++;
          }
        }
      }
      report(segment, places);
    }
  }

  private void report(Segment segment, int places) {
    if (places > 0) {
      damaged += places;
      LOG.errorf("event=journal-damaged file=%s places=%d", segment.file(), places);
    }
  }
}
