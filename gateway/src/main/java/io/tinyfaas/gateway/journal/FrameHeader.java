package io.tinyfaas.gateway.journal;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * What stands before the records of one batch: the segment's nonce, by which it is found again
 * behind what is damaged, the length, and a checksum of both and of the place. So a damaged length
 * is known as such, and nothing that stands elsewhere, as in a value that a client has chosen, is
 * taken for a frame. The checksum of all of it follows the records.
 *
 * @param length of the records
 * @param group where the group begins that was written and synced with this frame: what is before
 *     was on the disk then
 */
record FrameHeader(int length, int group) {

  static final int BYTES = 20;
  static final int TRAILER = 4;

  /** All that a record takes if it is alone in its frame, but its value. */
  static final int RECORD_OVERHEAD = BYTES + RecordHeader.BYTES + TRAILER;

  void write(long nonce, CRC32C crc, long position, ByteBuffer to) {
    checksum(nonce, crc, position);
    to.putLong(nonce).putInt(length).putInt(group).putInt((int) crc.getValue());
  }

  /**
   * @param crc goes on with the records
   * @return null if that is no header
   */
  static FrameHeader read(long nonce, CRC32C crc, long position, ByteBuffer from) {
    if (from.getLong() != nonce) {
      return null;
    }
    FrameHeader header = new FrameHeader(from.getInt(), from.getInt());
    header.checksum(nonce, crc, position);
    return header.length >= 0 && from.getInt() == (int) crc.getValue() ? header : null;
  }

  private void checksum(long nonce, CRC32C crc, long position) {
    crc.reset();
    crc.update(
        ByteBuffer.allocate(24)
            .putLong(nonce)
            .putLong(position)
            .putInt(length)
            .putInt(group)
            .flip());
  }
}
