package io.tinyfaas.manager.store;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.tinyfaas.manager.problem.ProblemException;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.locks.ReentrantLock;
import org.jboss.logging.Logger;

/** The lives of managers, counted over all their starts. */
@ApplicationScoped
public class EpochFile {

  private static final Logger LOG = Logger.getLogger(EpochFile.class);

  private final Path file;
  private final ReentrantLock lock = new ReentrantLock();

  public EpochFile(StoreFolder folder) {
    this.file = folder.root().resolve("epoch");
  }

  /**
   * Grows at each call, durable before it returns: the life of this manager. Where the disk has no
   * room for it the clock says what it is, since a manager that did not start could not delete
   * anything; once there is room again, whoever has seen that one says so.
   *
   * @param atLeast what others have seen, if the store was lost meanwhile
   */
  public long next(long atLeast) {
    lock.lock();
    try {
      long next = Math.max(Math.addExact(read(), 1), atLeast);
      try {
        DurableFiles.ON_DISK.replace(file, Long.toString(next).getBytes(US_ASCII));
        return next;
      } catch (IOException e) {
        long now = Math.max(next, Instant.now().toEpochMilli());
        LOG.errorf("event=not-written file=%s reason=\"%s\" using=%d", file, e.getMessage(), now);
        return now;
      }
    } catch (IOException e) {
      throw ProblemException.ofDisk("reading " + file, e);
    } finally {
      lock.unlock();
    }
  }

  private long read() throws IOException {
    if (!Files.exists(file)) {
      return 0;
    }
    try {
      return Long.parseLong(Files.readString(file, US_ASCII).strip());
    } catch (NumberFormatException e) {
      // The clock is ahead of any count of starts, so the epoch still grows.
      long now = Instant.now().getEpochSecond();
      LOG.errorf("event=unreadable file=%s reason=%s using=%d", file, e.getMessage(), now);
      return now;
    }
  }
}
