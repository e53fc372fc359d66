package io.tinyfaas.gateway.journal;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * What stands before each value: its key, its length, and a checksum of the three, by which one
 * record can be read without the rest of its frame.
 *
 * @param length {@link #REMOVED}: there is no value, and the key is removed
 */
record RecordHeader(long key, int length, int checksum) {

  static final int BYTES = 16;
  static final int REMOVED = -1;

  static RecordHeader read(ByteBuffer from) {
    return new RecordHeader(from.getLong(), from.getInt(), from.getInt());
  }

  static RecordHeader of(long key, byte[] value) {
    int length = value == null ? REMOVED : value.length;
    CRC32C crc = checksum(key, length);
    if (value != null) {
      crc.update(value);
    }
    return new RecordHeader(key, length, (int) crc.getValue());
  }

  /** Of key and length; the value is to follow. */
  static CRC32C checksum(long key, int length) {
    CRC32C crc = new CRC32C();
    crc.update(ByteBuffer.allocate(BYTES - 4).putLong(key).putInt(length).flip());
    return crc;
  }

  void write(ByteBuffer to) {
    to.putLong(key).putInt(length).putInt(checksum);
  }
}
