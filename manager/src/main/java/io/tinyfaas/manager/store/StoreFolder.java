package io.tinyfaas.manager.store;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.manager.problem.ProblemException;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * The folder of all that a manager keeps, for one manager at a time.
 *
 * <pre>
 * lock                                 held while a manager runs
 * epoch                                the last life of a manager: {@link EpochFile}
 * functions/                           {@link FunctionFolders}
 * devices/                             {@link DeviceStore}
 * uploads/                             archives under way; emptied at start
 * </pre>
 */
@Startup
@Singleton
public class StoreFolder implements AutoCloseable {

  private static final Logger LOG = Logger.getLogger(StoreFolder.class);

  private final Path root;
  private final Path uploads;
  private final Path functions;
  private final FileChannel lockFile;

  /**
   * @param root is created if it is not there
   * @throws ConfigurationException if the folder cannot be used or another manager uses it
   */
  @Inject
  public StoreFolder(@ConfigProperty(name = "tinyfaas.store") Path root) {
    this.root = root;
    this.uploads = root.resolve("uploads");
    this.functions = root.resolve("functions");
    try {
      DurableFiles.ON_DISK.createPrivate(functions);
      lockFile = lock(root.resolve("lock"));
      emptyUploads();
    } catch (IOException e) {
      throw unusable(root, e);
    }
  }

  /** In place: on a full disk, another would take the room of a folder that is deleted. */
  private void emptyUploads() throws IOException {
    if (Files.isDirectory(uploads)) {
      try (Stream<Path> left = Files.list(uploads)) {
        left.forEach(FunctionFolders::deleteSoon);
      }
    } else {
      Files.createDirectories(uploads);
      DurableFiles.ON_DISK.sync(root);
    }
  }

  /** Without the cause, of which Quarkus would print the stack instead of this. */
  static ConfigurationException unusable(Path folder, IOException e) {
    return new ConfigurationException(
        "The store "
            + folder.toAbsolutePath()
            + " cannot be used ("
            + e
            + "): mount a folder that the manager may write, or name another one with"
            + " TINYFAAS_STORE.");
  }

  private static FileChannel lock(Path file) throws IOException {
    boolean writable = true;
    FileChannel channel;
    try {
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    } catch (IOException e) {
      if (!ProblemException.isOfReadOnlyDisk(e)) {
        throw e;
      }
      // What there is can be served all the same, and every change is refused.
      LOG.errorf("event=store-read-only file=%s reason=\"%s\"", file, e.getMessage());
      writable = false;
      channel = FileChannel.open(file, StandardOpenOption.READ);
    }
    try {
      if (channel.tryLock(0, Long.MAX_VALUE, !writable) != null) {
        return channel;
      }
    } catch (OverlappingFileLockException e) {
      // held in this process
    }
    channel.close();
    throw new IOException("another manager is using it");
  }

  Path root() {
    return root;
  }

  Path functions() {
    return functions;
  }

  /**
   * A folder for archives under way, on the file system of the store so that they can be linked.
   */
  public Path uploads() {
    return uploads;
  }

  /** Lets another manager open the folder. */
  @Override
  @PreDestroy
  public void close() {
    try {
      lockFile.close();
    } catch (IOException e) {
      LOG.warnf("event=not-unlocked folder=%s reason=%s", root, e.getMessage());
    }
  }
}
