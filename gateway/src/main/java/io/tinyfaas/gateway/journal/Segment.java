package io.tinyfaas.gateway.journal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/** One file of the journal. Only its end is written, on the journal's thread; any thread reads. */
final class Segment implements Closeable {

  /** The JDK keeps a buffer outside of the heap that is as large as what is read at once. */
  private static final int READ_BYTES = 64 << 10;

  private final int number;
  private final long nonce;
  private final Path file;
  private final FileChannel channel;
  private long length;
  private long synced;

  Segment(int number, long nonce, Path file, FileChannel channel) {
    this.number = number;
    this.nonce = nonce;
    this.file = file;
    this.channel = channel;
  }

  int number() {
    return number;
  }

  long nonce() {
    return nonce;
  }

  Path file() {
    return file;
  }

  /** Behind the last frame. */
  long length() {
    return length;
  }

  /** Up to where it is known to be on the disk. */
  long synced() {
    return synced;
  }

  void settle(long length, long synced) {
    this.length = length;
    this.synced = synced;
  }

  void append(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      length += channel.write(bytes, length);
    }
  }

  void sync() throws IOException {
    force();
    synced = length;
  }

  void force() throws IOException {
    channel.force(false);
  }

  /** What was not synced is not trusted, whatever a later sync would say. */
  void giveUpUnsynced() throws IOException {
    length = synced;
    channel.truncate(synced);
  }

  /** Fills what remains of the buffer. */
  void read(ByteBuffer into, long position) throws IOException {
    int end = into.limit();
    while (into.position() < end) {
      into.limit(Math.min(end, into.position() + READ_BYTES));
      int read = channel.read(into, position);
      into.limit(end);
      if (read < 0) {
        throw new DamagedException("%s ends at byte %d".formatted(file, position));
      }
      position += read;
    }
  }

  /**
   * The header of a record whose value is whole.
   *
   * @throws DamagedException if it is not, or not of this key
   */
  RecordHeader check(long key, int offset, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(RecordHeader.BYTES);
    read(bytes, offset);
    RecordHeader header = RecordHeader.read(bytes.flip());
    CRC32C crc = RecordHeader.checksum(key, length);
    ByteBuffer piece = ByteBuffer.allocate(Math.min(length, READ_BYTES));
    for (int done = 0; done < length; done += piece.limit()) {
      read(piece.clear().limit(Math.min(piece.capacity(), length - done)), valueAt(offset) + done);
      crc.update(piece.flip());
    }
    return checked(header, key, length, crc, offset);
  }

  byte[] value(long key, int offset, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(RecordHeader.BYTES);
    read(bytes, offset);
    byte[] value = new byte[length];
    read(ByteBuffer.wrap(value), valueAt(offset));
    CRC32C crc = RecordHeader.checksum(key, length);
    crc.update(value);
    checked(RecordHeader.read(bytes.flip()), key, length, crc, offset);
    return value;
  }

  static long valueAt(int offset) {
    return (long) offset + RecordHeader.BYTES;
  }

  private RecordHeader checked(RecordHeader header, long key, int length, CRC32C crc, int offset)
      throws DamagedException {
    if (!header.equals(new RecordHeader(key, length, (int) crc.getValue()))) {
      throw new DamagedException("%s is damaged at byte %d".formatted(file, offset));
    }
    return header;
  }

  long fileBytes() throws IOException {
    return channel.size();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /** What was read is not what was written. */
  static final class DamagedException extends IOException {
    private static final long serialVersionUID = 1;

    DamagedException(String message) {
      super(message);
    }
  }
}
