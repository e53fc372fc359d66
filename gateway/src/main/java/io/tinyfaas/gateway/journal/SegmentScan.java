package io.tinyfaas.gateway.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.zip.CRC32C;

/**
 * Reads a segment from its first frame to its last. Where there is none, it goes on at the next
 * place where the segment's nonce stands in front of a frame; each byte is looked at for that once.
 *
 * <p>What is damaged was either on the disk once, which counts, or belongs to the last group, which
 * the power cut tore: a frame says where its group begins, and so that all before was on the disk.
 */
final class SegmentScan {

  interface Records {
    void record(long key, int offset, int length);
  }

  private static final int WINDOW_BYTES = 64 << 10;
  private static final int BLOCK_BYTES = 4 << 10;

  /** Of which it is not known yet whether they count. */
  private static final int MOST_OPEN_HOLES = 1_024;

  private final Segment segment;
  private final long limit;
  private final ByteBuffer window = ByteBuffer.allocate(WINDOW_BYTES).limit(0);
  private final CRC32C crc = new CRC32C();
  private final Deque<Long> openHoles = new ArrayDeque<>();
  private long windowAt;
  private int windowEnd;
  private boolean readAny;
  private IOException unreadable;

  private long end = SegmentHeader.BYTES;
  private long synced;
  private int frames;
  private int damaged;

  /**
   * @param limit what is behind it does not count
   * @param synced up to where all of it is known to have been on the disk
   */
  SegmentScan(Segment segment, long limit, long synced) throws IOException {
    this.segment = segment;
    this.limit = Math.min(limit, segment.fileBytes());
    this.synced = synced;
  }

  void run(Records records) throws IOException {
    long at = SegmentHeader.BYTES;
    while (at < limit) {
      FrameHeader header = header(at);
      if (header == null) {
        hole(at);
        at = next(at + 1);
        continue;
      }
      synced(header.group());
      long begin = at + FrameHeader.BYTES;
      long after = begin + header.length() + FrameHeader.TRAILER;
      if (isWhole(begin, header.length()) && areRecords(begin, header.length(), null)) {
        areRecords(begin, header.length(), records);
        frames++;
        end = after;
      } else {
        hole(at);
      }
      at = after;
    }
    if (at == end && at < synced) {
      hole(at);
    }
    synced(synced);
    if (!readAny && unreadable != null) {
      throw unreadable;
    }
  }

  /** Behind the last frame. */
  long end() {
    return end;
  }

  long synced() {
    return synced;
  }

  int frames() {
    return frames;
  }

  /** Places that cannot be read and could once. */
  int damaged() {
    return damaged;
  }

  private void hole(long at) {
    openHoles.add(at);
    if (openHoles.size() > MOST_OPEN_HOLES) {
      openHoles.remove();
      damaged++;
    }
  }

  private void synced(long at) {
    synced = Math.max(synced, at);
    while (!openHoles.isEmpty() && openHoles.peek() < synced) {
      openHoles.remove();
      damaged++;
    }
  }

  /**
   * @return null if there is none, or one that ends behind the limit
   */
  private FrameHeader header(long at) throws IOException {
    if (!load(at, FrameHeader.BYTES)) {
      return null;
    }
    FrameHeader header = FrameHeader.read(segment.nonce(), crc, at, window);
    return header != null && at + FrameHeader.BYTES + header.length() + FrameHeader.TRAILER <= limit
        ? header
        : null;
  }

  /** The checksum goes on where the header's ended. */
  private boolean isWhole(long at, int length) throws IOException {
    long end = at + length;
    while (at < end) {
      int piece = (int) Math.min(end - at, WINDOW_BYTES);
      load(at, piece);
      window.limit(window.position() + piece);
      crc.update(window);
      at += piece;
    }
    return load(end, FrameHeader.TRAILER) && window.getInt() == (int) crc.getValue();
  }

  /**
   * @param records null: it is only looked whether they are some
   */
  private boolean areRecords(long at, int bytes, Records records) throws IOException {
    long end = at + bytes;
    while (at < end) {
      if (end - at < RecordHeader.BYTES || !load(at, RecordHeader.BYTES)) {
        return false;
      }
      RecordHeader header = RecordHeader.read(window);
      if (header.length() < RecordHeader.REMOVED) {
        return false;
      }
      if (records != null) {
        records.record(header.key(), (int) at, header.length());
      }
      at += RecordHeader.BYTES + (long) Math.max(0, header.length());
    }
    return at == end;
  }

  private long next(long at) throws IOException {
    while (load(at, Long.BYTES)) {
      for (; window.remaining() >= Long.BYTES; window.get(), at++) {
        if (window.getLong(window.position()) == segment.nonce()) {
          return at;
        }
      }
    }
    return limit;
  }

  /**
   * Has the window begin or go on there.
   *
   * @return false if there are not so many bytes
   */
  private boolean load(long at, int bytes) throws IOException {
    if (at + bytes > limit) {
      return false;
    }
    long inWindow = at - windowAt;
    window.limit(windowEnd);
    if (inWindow < 0 || inWindow + bytes > windowEnd) {
      windowAt = at;
      windowEnd = (int) Math.min(WINDOW_BYTES, limit - at);
      fill();
      inWindow = 0;
    }
    window.limit(windowEnd).position((int) inWindow);
    return true;
  }

  private void fill() throws IOException {
    try {
      segment.read(window.clear().limit(windowEnd), windowAt);
      readAny = true;
    } catch (ClosedChannelException e) {
      throw e;
    } catch (IOException e) {
      unreadable = e;
      Arrays.fill(window.array(), (byte) 0);
      fillBlocks();
    }
  }

  /**
   * What the disk cannot read any more is as damaged as what it reads wrongly; the rest is kept.
   */
  private void fillBlocks() {
    for (int at = 0; at < windowEnd; at += BLOCK_BYTES) {
      try {
        window.limit(Math.min(windowEnd, at + BLOCK_BYTES)).position(at);
        segment.read(window, windowAt + at);
        readAny = true;
      } catch (IOException e) {
        unreadable = e;
      }
    }
  }
}
