package io.tinyfaas.manager.reconcile;

import java.time.Duration;

/** What is known of one handler's health over time. */
final class HandlerHealth {

  private static final Duration FIRST_BACKOFF = Duration.ofSeconds(1);
  private static final Duration LONGEST_BACKOFF = Duration.ofSeconds(60);

  /** A handler that has run this long is no longer one that keeps failing. */
  private static final Duration STEADY = Duration.ofSeconds(60);

  private String state = "starting";
  private boolean hasAnswered;
  private long startedAt = System.nanoTime();
  private boolean silent;
  private long silentSince;
  private int restarts;

  /** {@code starting}, {@code healthy}, {@code unresponsive} or {@code stopped}. */
  synchronized String state() {
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
    state = "healthy";
    hasAnswered = true;
    silent = false;
    if (since(startedAt).compareTo(STEADY) > 0) {
      restarts = 0;
    }
  }

  /** Counts from the first question that got no answer. */
  synchronized void didNotAnswer() {
    if (!silent) {
      silent = true;
      silentSince = System.nanoTime();
    }
    state = "unresponsive";
  }

  synchronized boolean isSilentFor(Duration time) {
    return silent && since(silentSince).compareTo(time) >= 0;
  }

  synchronized void stopped() {
    state = "stopped";
    hasAnswered = false;
    silent = false;
  }

  /**
   * How long it must not be started yet: nothing the first time, later until a pause since its last
   * start is over that doubles with each. Never negative.
   */
  synchronized Duration untilRestart() {
    if (restarts == 0) {
      return Duration.ZERO;
    }
    Duration backoff = FIRST_BACKOFF.multipliedBy(1L << Math.min(restarts - 1, 6));
    Duration left =
        (backoff.compareTo(LONGEST_BACKOFF) < 0 ? backoff : LONGEST_BACKOFF)
            .minus(since(startedAt));
    return left.isNegative() ? Duration.ZERO : left;
  }

  synchronized void restarted() {
    restarts++;
    startedAt = System.nanoTime();
    state = "starting";
    hasAnswered = false;
    silent = false;
  }

  private static Duration since(long nanos) {
    return Duration.ofNanos(System.nanoTime() - nanos);
  }
}
