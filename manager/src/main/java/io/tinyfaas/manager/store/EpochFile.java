package io.tinyfaas.manager.store;

import static java.nio.charset.StandardCharsets.US_ASCII;

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

  /** Far beyond any clock; more is what somebody else has written. */
  private static final long HIGHEST = 1L << 53;

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
      long next = Math.max(read() + 1, atLeast);
      try {
        DurableFiles.ON_DISK.replace(file, Long.toString(next).getBytes(US_ASCII));
        return next;
      } catch (IOException e) {
        long now = Math.max(next, Instant.now().toEpochMilli());
        LOG.errorf("event=not-written file=%s reason=\"%s\" using=%d", file, e.getMessage(), now);
        return now;
      }
    } finally {
      lock.unlock();
    }
  }

  private long read() {
    try {
      if (!Files.exists(file)) {
        return 0;
      }
      long epoch = Long.parseLong(Files.readString(file, US_ASCII).strip());
      if (epoch >= 0 && epoch <= HIGHEST) {
        return epoch;
      }
      return clockInsteadOf("it is " + epoch);
    } catch (IOException | NumberFormatException e) {
      return clockInsteadOf(e.toString());
    }
  }

  /** Ahead of any count of starts, so that the epoch still grows. */
  private long clockInsteadOf(String reason) {
    long now = Instant.now().toEpochMilli();
    LOG.errorf("event=unreadable file=%s reason=\"%s\" using=%d", file, reason, now);
    return now;
  }
}
