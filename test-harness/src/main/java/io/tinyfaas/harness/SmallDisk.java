package io.tinyfaas.harness;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A real file system of 2 MiB, for the tests that fill it. Needs root, as do the container tests.
 */
public final class SmallDisk implements AutoCloseable {

  private final Path folder;

  public SmallDisk(Path folder) {
    this.folder = folder;
    Command.of("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder.toString()).succeed();
  }

  /** Leaves {@code bytes} unused, or a little less. */
  public void fillUpTo(long bytes) throws IOException {
    FileStore disk = Files.getFileStore(folder);
    try (OutputStream filler = Files.newOutputStream(folder.resolve("filler"))) {
      byte[] page = new byte[4096];
      while (disk.getUsableSpace() >= bytes + page.length) {
        filler.write(page);
      }
    }
  }

  public void makeRoom() throws IOException {
    Files.delete(folder.resolve("filler"));
  }

  /** As a system does with a disk that fails. Nothing may be open for writing. */
  public void makeReadOnly() {
    Command.of("mount", "-o", "remount,ro", folder.toString()).succeed();
  }

  @Override
  public void close() {
    Command.of("umount", folder.toString()).succeed();
  }
}
