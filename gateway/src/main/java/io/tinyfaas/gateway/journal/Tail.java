package io.tinyfaas.gateway.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** The end of the journal: frames of one group after the other, and after each a sync. */
final class Tail {

  /** Outside of the heap, where the kernel takes it from. */
  private static final int BUFFER_BYTES = 256 << 10;

  private final SegmentFolder folder;
  private final int segmentBytes;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
  private final CRC32C crc = new CRC32C();
  private Segment segment;
  private int group;

  Tail(SegmentFolder folder, int segmentBytes) {
    this.folder = folder;
    this.segmentBytes = segmentBytes;
  }

  /**
   * @return the segment that the group goes to
   */
  int beginGroup() throws IOException {
    endFullSegment();
    if (segment == null) {
      segment = folder.create();
    }
    buffer.clear();
    group = (int) segment.length();
    return segment.number();
  }

  void endFullSegment() {
    if (segment != null && segment.length() >= segmentBytes) {
      segment = null;
    }
  }

  /** Whether frames may still be added to it. */
  boolean isAt(Segment other) {
    return segment == other;
  }

  void beginFrame(long recordsBytes) throws IOException {
    flushFor(FrameHeader.BYTES);
    new FrameHeader((int) recordsBytes, group).write(segment.nonce(), crc, position(), buffer);
  }

  /**
   * The value has to follow.
   *
   * @return its place
   */
  int write(RecordHeader header) throws IOException {
    flushFor(RecordHeader.BYTES);
    int place = (int) position();
    int at = buffer.position();
    header.write(buffer);
    crc.update(buffer.slice(at, RecordHeader.BYTES));
    return place;
  }

  void write(ByteBuffer value) throws IOException {
    crc.update(value.duplicate());
    while (value.hasRemaining()) {
      flushFor(1);
      int piece = Math.min(buffer.remaining(), value.remaining());
      buffer.put(value.slice(value.position(), piece));
      value.position(value.position() + piece);
    }
  }

  void endFrame() throws IOException {
    flushFor(FrameHeader.TRAILER);
    buffer.putInt((int) crc.getValue());
  }

  void endGroup() throws IOException {
    flush();
    segment.sync();
  }

  /**
   * Nothing of the group is there. The kernel may have taken its pages for written, so the segment
   * gets no more frames, and the next one says that these are none.
   */
  void giveUpGroup() {
    Segment ended = segment;
    segment = null;
    if (ended == null) {
      return;
    }
    try {
      ended.giveUpUnsynced();
      if (ended.length() == SegmentHeader.BYTES) {
        folder.delete(ended);
      }
    } catch (IOException e) {
      // The header of the next segment says what counts.
    }
  }

  private long position() {
    return segment.length() + buffer.position();
  }

  private void flushFor(int bytes) throws IOException {
    if (buffer.remaining() < bytes) {
      flush();
    }
  }

  private void flush() throws IOException {
    segment.append(buffer.flip());
    buffer.clear();
  }
}
