package io.tinyfaas.manager.store;

import io.tinyfaas.manager.files.FileTree;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Writes that survive a power cut. A name in a folder is only on the disk once the folder itself is
 * synced, and content only once the file is, hence the order here.
 */
final class DurableFiles {

  /** What tests replace, since no disk fails when it is told to. */
  @FunctionalInterface
  interface Sync {
    /** Of a file or a folder: returns when it survives a power cut. */
    void sync(Path path) throws IOException;
  }

  /** A rename is done and can be seen, but may be undone by a power cut. */
  static final class NotSyncedException extends IOException {
    NotSyncedException(IOException cause) {
      super(cause.getMessage(), cause);
    }
  }

  static final DurableFiles ON_DISK =
      new DurableFiles(
          path -> {
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
              channel.force(true);
            }
          });

  private final Sync sync;

  DurableFiles(Sync sync) {
    this.sync = sync;
  }

  /** A folder for its owner alone, if it is not there: what is stored has people's secrets. */
  void createPrivate(Path folder) throws IOException {
    Files.createDirectories(
        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    sync(folder.getParent());
  }

  /**
   * Puts new content in place of the old in one step: a reader or a crash sees one of the two.
   *
   * @throws NotSyncedException if a reader sees the new one
   * @throws IOException otherwise, if a reader sees the old one
   */
  void replace(Path file, byte[] content) throws IOException {
    Path written = file.resolveSibling("." + file.getFileName() + ".new");
    try {
      Files.write(written, content);
      sync(written);
      if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
        FileTree.delete(file); // no file can take its place
      }
      Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      deleteAfter(e, written);
      throw e;
    }
    syncRenamed(file.getParent());
  }

  /** The failure that came first is told. */
  private static void deleteAfter(IOException failure, Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  /**
   * Renames within one folder.
   *
   * @throws NotSyncedException if it has the new name
   * @throws IOException otherwise, if it has the old one
   */
  void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    syncRenamed(to.getParent());
  }

  private void syncRenamed(Path folder) throws IOException {
    try {
      sync(folder);
    } catch (IOException e) {
      throw new NotSyncedException(e);
    }
  }

  /** Of a file or a folder. */
  void sync(Path path) throws IOException {
    sync.sync(path);
  }
}
