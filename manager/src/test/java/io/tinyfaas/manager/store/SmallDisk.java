package io.tinyfaas.manager.store;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A real file system of 2 MiB, for the tests that fill it. Needs root, as do the container tests.
 */
public final class SmallDisk implements AutoCloseable {

  private final Path folder;

  public SmallDisk(Path folder) throws IOException {
    this.folder = folder;
    run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder.toString());
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

  private static void run(String... command) throws IOException {
    try {
      int status = new ProcessBuilder(command).inheritIO().start().waitFor();
      if (status != 0) {
        throw new IOException(String.join(" ", command) + " failed with " + status);
      }
    } catch (InterruptedException e) {
      throw new InterruptedIOException();
    }
  }

  @Override
  public void close() throws IOException {
    run("umount", folder.toString());
  }
}
