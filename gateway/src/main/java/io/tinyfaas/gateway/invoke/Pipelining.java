package io.tinyfaas.gateway.invoke;

import java.util.concurrent.TimeUnit;

/**
 * How many requests a connection to one handler may carry at once, learnt from the handler's
 * answers. Sending them together saves most of what a request costs, but answers come in the order
 * of requests: a call waits for those ahead of it on its connection. So connections are shared only
 * while they have all been quick, only so deep as the handler's pace lets the last one be answered
 * within {@link #BUDGET_NANOS}, and never behind a call that already takes long. A handler that
 * held others up with a slow call has to be quick for twice as long before it is trusted again, so
 * that one which mixes slow calls with fast ones is soon used with one call per connection only.
 */
final class Pipelining {

  /**
   * Requests that are under way before any shares its connection, and the connections in use when
   * they do.
   */
  static final int CONNECTIONS = 8;

  private static final int MAX_DEPTH = 32;

  /** What those ahead on a connection may take together, by the handler's recent pace. */
  private static final long BUDGET_NANOS = TimeUnit.MILLISECONDS.toNanos(4);

  /** A call that takes longer while others are answered is slow. */
  static final long SLOW_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private static final int PACE_SHIFT = 6;
  private static final int FIRST_QUICK_RUN = 256;
  private static final int MAX_QUICK_RUN = 1 << 20;

  /** So much longer without a slow call, and half as much is asked for again. */
  private static final int FORGIVEN_AFTER = 16;

  /** Between two answers on one connection, averaged; at first too long to share anything. */
  private long paceNanos = BUDGET_NANOS;

  private long quickRun;
  private long quickRunNeeded = FIRST_QUICK_RUN;
  private long answers;

  /** The answers there have been. */
  long answers() {
    return answers;
  }

  /** The requests that one connection may carry at once, from 1. */
  int depth() {
    return quickRun < quickRunNeeded
        ? 1
        : Math.clamp(BUDGET_NANOS / Math.max(1, paceNanos), 1, MAX_DEPTH);
  }

  /**
   * @param nanos since the request was first on its connection
   */
  void answered(long nanos) {
    answers++;
    paceNanos += (nanos - paceNanos) >> PACE_SHIFT;
    if (++quickRun >= FORGIVEN_AFTER * quickRunNeeded && quickRunNeeded > FIRST_QUICK_RUN) {
      quickRunNeeded /= 2;
      quickRun = quickRunNeeded;
    }
  }

  /**
   * A call has become slow while others were answered.
   *
   * @param heldUp whether there are requests behind it on its connection
   */
  void slow(boolean heldUp) {
    quickRun = 0;
    if (heldUp) {
      quickRunNeeded = Math.min(2 * quickRunNeeded, MAX_QUICK_RUN);
    }
  }
}
