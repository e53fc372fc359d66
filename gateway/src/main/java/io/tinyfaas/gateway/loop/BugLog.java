package io.tinyfaas.gateway.loop;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jboss.logging.Logger;

/**
 * Says of one place in the code that something failed that cannot: with a stack trace, at most once
 * a minute, since whoever finds out how to make it fail does so for each call. Any thread.
 */
public final class BugLog {

  private static final long PAUSE_NANOS = TimeUnit.MINUTES.toNanos(1);

  /** Where it is written. */
  @FunctionalInterface
  interface Sink {

    /**
     * @param more that were not said since the one before
     */
    void write(Throwable bug, long more);
  }

  private final Sink sink;

  /** As {@link System#nanoTime}. */
  private final LongSupplier clock;

  private long due;
  private long unsaid;

  /**
   * @param event of the line, in the manner of all
   */
  public BugLog(Logger log, String event) {
    this(
        (bug, more) -> log.errorf(bug, "event=%s not-said-before=%d", event, more),
        System::nanoTime);
  }

  BugLog(Sink sink, LongSupplier clock) {
    this.sink = sink;
    this.clock = clock;
    this.due = clock.getAsLong();
  }

  public synchronized void say(Throwable bug) {
    long now = clock.getAsLong();
    if (now - due < 0) {
      unsaid++;
      return;
    }
    sink.write(bug, unsaid);
    due = now + PAUSE_NANOS;
    unsaid = 0;
  }

  /** Runs it; that it fails ends nothing else. */
  public void guard(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error bug) {
      say(bug);
    }
  }
}
