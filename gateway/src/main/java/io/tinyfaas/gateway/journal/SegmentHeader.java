package io.tinyfaas.gateway.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * What a segment begins with. What it says of the previous one was settled when this was made: what
 * is behind its length there is of groups that failed, and does not count.
 *
 * @param nonce random, so that nobody can write frames who can only choose values
 * @param previous 0 if there was none
 * @param previousSynced up to where all of it was on the disk; behind that, up to the length,
 *     frames may be torn
 */
record SegmentHeader(
    int number, long nonce, int previous, long previousLength, long previousSynced) {

  static final int BYTES = 64;

  private static final long MAGIC = 0x74_69_6e_79_4a_72_6e_6cL; // "tinyJrnl"
  private static final int VERSION = 1;

  ByteBuffer bytes() {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    bytes.putLong(MAGIC).putInt(VERSION).putInt(number).putLong(nonce);
    bytes.putInt(previous).putLong(previousLength).putLong(previousSynced);
    bytes.putInt(BYTES - 4, checksum(bytes.array()));
    return bytes.rewind();
  }

  /**
   * Magic, version and checksum are where they are in every version to come, so that a newer one is
   * told from a damaged one.
   *
   * @return empty if it is damaged
   */
  static Optional<SegmentHeader> read(ByteBuffer bytes, Path file) throws IOException {
    if (bytes.remaining() < BYTES
        || bytes.getInt(BYTES - 4) != checksum(bytes.array())
        || bytes.getLong() != MAGIC) {
      return Optional.empty();
    }
    int version = bytes.getInt();
    if (version != VERSION) {
      throw new IOException(
          "%s has format %d, and this gateway knows %d: start the one that wrote it, or move the folder away"
              .formatted(file, version, VERSION));
    }
    return Optional.of(
        new SegmentHeader(
            bytes.getInt(), bytes.getLong(), bytes.getInt(), bytes.getLong(), bytes.getLong()));
  }

  private static int checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, BYTES - 4);
    return (int) crc.getValue();
  }
}
