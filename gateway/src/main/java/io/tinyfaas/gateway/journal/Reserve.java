package io.tinyfaas.gateway.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;

/**
 * A file of no use but its room: when the disk is full it is deleted, for what became of calls that
 * were accepted. Nothing else is written until it could be made again.
 */
final class Reserve {

  private static final int PIECE_BYTES = 16 << 10;

  private final Path file;
  private final int bytes;
  private final long againNanos;
  private boolean there;
  private long triedAt;

  Reserve(Path folder, JournalLimits limits) {
    this.file = folder.resolve("reserve");
    this.bytes = limits.reserveBytes();
    this.againNanos = limits.again().toNanos();
    this.triedAt = System.nanoTime() - againNanos;
  }

  /** It is made if it is not there, but not soon after that has failed. */
  boolean isThere() {
    if (!there && System.nanoTime() - triedAt >= againNanos) {
      triedAt = System.nanoTime();
      there = make();
    }
    return there;
  }

  private boolean make() {
    try {
      if (Files.exists(file) && Files.size(file) == bytes) {
        return true;
      }
      write();
      return true;
    } catch (IOException e) {
      delete();
      return false;
    }
  }

  /** Random, or a file system that packs files would keep next to nothing. */
  private void write() throws IOException {
    SplittableRandom random = new SplittableRandom();
    byte[] piece = new byte[Math.min(bytes, PIECE_BYTES)];
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      for (int left = bytes; left > 0; left -= piece.length) {
        random.nextBytes(piece);
        ByteBuffer next = ByteBuffer.wrap(piece, 0, Math.min(left, piece.length));
        while (next.hasRemaining()) {
          channel.write(next);
        }
      }
      channel.force(true);
    }
  }

  /**
   * @return false if it was gone already
   */
  boolean giveUp() {
    boolean given = there;
    there = false;
    triedAt = System.nanoTime();
    delete();
    return given;
  }

  private void delete() {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // Then there is nothing to be had from it.
    }
  }
}
