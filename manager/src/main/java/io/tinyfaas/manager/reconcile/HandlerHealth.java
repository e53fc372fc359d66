package io.tinyfaas.manager.reconcile;

import io.tinyfaas.manager.handler.Ending;
import io.tinyfaas.manager.handler.Health;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;

/** What is known of one handler's health over time. */
final class HandlerHealth {

  private static final Duration FIRST_BACKOFF = Duration.ofSeconds(1);
  private static final Duration LONGEST_BACKOFF = Duration.ofSeconds(60);

  /** A handler that has run this long is no longer one that keeps failing. */
  private static final Duration STEADY = Duration.ofSeconds(60);

  private final LongSupplier nanoTime;

  private Health state = Health.STARTING;
  private boolean hasAnswered;
  private long startedAt;
  private boolean silent;
  private long silentSince;

  /** In a row, without a steady run between them. */
  private int starts;

  private int restarts;
  private Optional<Ending> lastEnd = Optional.empty();

  HandlerHealth() {
    this(System::nanoTime);
  }

  HandlerHealth(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.startedAt = nanoTime.getAsLong();
  }

  synchronized Health state() {
    return state;
  }

  /**
   * Whether invocations may go to it: from its first answer until it stops. One that is silent for
   * a moment may only be busy; the gateway's timeout bounds what waits for it.
   */
  synchronized boolean isRoutable() {
    return hasAnswered;
  }

  synchronized void answered() {
    state = Health.HEALTHY;
    hasAnswered = true;
    silent = false;
    if (since(startedAt).compareTo(STEADY) > 0) {
      starts = 0;
    }
  }

  /** Counts from the first question that got no answer. */
  synchronized void didNotAnswer() {
    if (!silent) {
      silent = true;
      silentSince = nanoTime.getAsLong();
    }
    state = Health.UNRESPONSIVE;
  }

  synchronized boolean isSilentFor(Duration time) {
    return silent && since(silentSince).compareTo(time) >= 0;
  }

  synchronized void stopped() {
    state = Health.STOPPED;
    hasAnswered = false;
    silent = false;
  }

  /**
   * @return whether this end was not known yet
   */
  synchronized boolean ended(Ending how) {
    // A start that fails changes the exit code, and not the time.
    boolean known = lastEnd.map(Ending::at).equals(Optional.of(how.at()));
    if (!known) {
      lastEnd = Optional.of(how);
    }
    return !known;
  }

  /** The last one that this manager has found; empty if there was none. */
  synchronized Optional<Ending> lastEnd() {
    return lastEnd;
  }

  /**
   * How long it must not be started yet: nothing the first time, later until a pause since its last
   * start is over that doubles with each. Never negative.
   */
  synchronized Duration untilRestart() {
    if (starts == 0) {
      return Duration.ZERO;
    }
    Duration backoff = FIRST_BACKOFF.multipliedBy(1L << Math.min(starts - 1, 6));
    Duration left =
        (backoff.compareTo(LONGEST_BACKOFF) < 0 ? backoff : LONGEST_BACKOFF)
            .minus(since(startedAt));
    return left.isNegative() ? Duration.ZERO : left;
  }

  synchronized void restarted() {
    restarts++;
    started();
  }

  /** How often since this manager runs. */
  synchronized int restarts() {
    return restarts;
  }

  /** The first time. */
  synchronized void started() {
    starts++;
    startedAt = nanoTime.getAsLong();
    state = Health.STARTING;
    hasAnswered = false;
    silent = false;
  }

  private Duration since(long nanos) {
    return Duration.ofNanos(nanoTime.getAsLong() - nanos);
  }
}
