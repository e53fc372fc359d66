package io.tinyfaas.manager.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Writes that survive a power cut. A name in a folder is only on the disk once the folder itself is
 * synced, and content only once the file is, hence the order here.
 */
final class DurableFiles {

  private DurableFiles() {}

  /** A folder for its owner alone, if it is not there: what is stored has people's secrets. */
  static void createPrivate(Path folder) throws IOException {
    Files.createDirectories(
        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    sync(folder.getParent());
  }

  /** Puts new content in place of the old in one step: a reader or a crash sees one of the two. */
  static void replace(Path file, byte[] content) throws IOException {
    Path written = file.resolveSibling("." + file.getFileName() + ".new");
    try {
      Files.write(written, content);
      sync(written);
      Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      Files.deleteIfExists(written);
      throw e;
    }
    sync(file.getParent());
  }

  /** Renames within one folder. */
  static void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    sync(to.getParent());
  }

  /** Of a file or a folder. */
  static void sync(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
