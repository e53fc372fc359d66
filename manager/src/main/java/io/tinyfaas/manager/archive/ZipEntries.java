package io.tinyfaas.manager.archive;

import static io.tinyfaas.manager.problem.ProblemType.ARCHIVE_TOO_LARGE;
import static io.tinyfaas.manager.problem.ProblemType.INVALID_ARCHIVE;

import io.tinyfaas.manager.problem.ProblemException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Walks a zip's central directory without keeping any of it, so that a file with millions of
 * entries is refused before a zip library builds them. Takes only files that all readers take
 * alike: one end record at the very end, the directory right before it, nothing in front of the
 * first entry.
 */
final class ZipEntries {

  private static final int END_SIGNATURE = 0x06054b50;
  private static final int END_LENGTH = 22;
  private static final int END64_LENGTH = 56;
  private static final int LOCATOR_SIGNATURE = 0x07064b50;
  private static final int LOCATOR_LENGTH = 20;
  private static final int MAX_COMMENT = 0xffff;
  private static final int HEADER_SIGNATURE = 0x02014b50;
  private static final int HEADER_LENGTH = 46;

  /** Of an entry on average, for its comment and extra fields: tools write some 50. */
  private static final int EXTRA_BYTES = 256;

  private ZipEntries() {}

  /**
   * @throws ProblemException INVALID_ARCHIVE if the file is no zip, ARCHIVE_TOO_LARGE if it has
   *     more than {@code limit} entries, or more beside their names than so many have
   */
  static void check(Path zip, int limit) throws IOException {
    try (FileChannel file = FileChannel.open(zip, StandardOpenOption.READ)) {
      Directory directory = directory(file, findEnd(file));
      if (directory.count() > limit) {
        throw tooMany(limit);
      }
      if (directory.start() < 0 || directory.start() + directory.size() != directory.end()) {
        throw notAZip("its directory is not where its end says");
      }
      int found = 0;
      long extra = 0;
      long position = directory.start();
      while (position < directory.end()) {
        if (++found > limit) {
          throw tooMany(limit);
        }
        ByteBuffer header = read(file, position, HEADER_LENGTH);
        if (header.getInt(0) != HEADER_SIGNATURE) {
          throw notAZip("its directory is damaged");
        }
        int beside =
            Short.toUnsignedInt(header.getShort(30)) + Short.toUnsignedInt(header.getShort(32));
        extra += beside;
        if (extra > (long) EXTRA_BYTES * limit) {
          throw ProblemException.of(
              ARCHIVE_TOO_LARGE,
              "The archive's entries have comments or extra fields of more than "
                  + (long) EXTRA_BYTES * limit
                  + " bytes: make it with plain zip.");
        }
        position += HEADER_LENGTH + Short.toUnsignedInt(header.getShort(28)) + beside;
      }
      if (position != directory.end() || found != directory.count()) {
        throw notAZip("its directory has another length than its end says");
      }
    } catch (EOFException e) {
      throw notAZip("it ends too early");
    }
  }

  private record Directory(long start, long size, long count, long end) {}

  /** What the end record says, or the 64-bit one in front of it that some tools always write. */
  private static Directory directory(FileChannel file, long end) throws IOException {
    if (end >= LOCATOR_LENGTH) {
      ByteBuffer locator = read(file, end - LOCATOR_LENGTH, LOCATOR_LENGTH);
      if (locator.getInt(0) == LOCATOR_SIGNATURE) {
        long end64 = locator.getLong(8);
        if (end64 != end - LOCATOR_LENGTH - END64_LENGTH) {
          throw notAZip("its 64-bit end is not where it should be");
        }
        ByteBuffer record = read(file, end64, END64_LENGTH);
        return new Directory(record.getLong(48), record.getLong(40), record.getLong(32), end64);
      }
    }
    ByteBuffer record = read(file, end, END_LENGTH);
    return new Directory(
        Integer.toUnsignedLong(record.getInt(16)),
        Integer.toUnsignedLong(record.getInt(12)),
        Short.toUnsignedInt(record.getShort(10)),
        end);
  }

  /** The last end record, whose comment must reach to the end of the file. */
  private static long findEnd(FileChannel file) throws IOException {
    long size = file.size();
    long from = Math.max(0, size - END_LENGTH - MAX_COMMENT);
    ByteBuffer tail = read(file, from, (int) (size - from));
    for (int at = tail.limit() - END_LENGTH; at >= 0; at--) {
      if (tail.getInt(at) == END_SIGNATURE) {
        if (at + END_LENGTH + Short.toUnsignedInt(tail.getShort(at + 20)) != tail.limit()) {
          throw notAZip("something follows its end");
        }
        return from + at;
      }
    }
    throw notAZip("it has no directory");
  }

  static ByteBuffer read(SeekableByteChannel file, long position, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    file.position(position);
    while (buffer.hasRemaining()) {
      if (file.read(buffer) < 0) {
        throw new EOFException();
      }
    }
    return buffer.flip();
  }

  static ProblemException tooMany(int limit) {
    return ProblemException.of(
        ARCHIVE_TOO_LARGE,
        "The archive has more than "
            + limit
            + " entries, files and folders together: leave out what the function does not need,"
            + " such as node_modules, which is installed from package.json when the function is"
            + " built.");
  }

  private static ProblemException notAZip(String why) {
    return ProblemException.of(
        INVALID_ARCHIVE,
        "The archive is not a zip file or was cut short ("
            + why
            + "): make it with 'zip -r function.zip .' in the function's folder, and send it with"
            + " curl --data-binary, not --data.");
  }
}
