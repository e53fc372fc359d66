package io.tinyfaas.gateway.route;

import io.tinyfaas.contract.route.Handler;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A handler while this gateway knows it, with the invocations it is answering. Outlives the tables
 * that name it until it is idle.
 */
public final class RoutedHandler {

  /** How long a handler that refused a connection is the last choice. */
  private static final long AVOIDED_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Handler handler;
  private final Consumer<RoutedHandler> released;
  private final AtomicInteger inFlight = new AtomicInteger();

  /** Of one whose function may call others; made when it is first asked for. */
  private Depths depths;

  private volatile boolean retired;
  private volatile long refusedAt = System.nanoTime() - AVOIDED_NANOS;

  /**
   * @param released is told when it has left the table and answered its last invocation
   */
  RoutedHandler(Handler handler, Consumer<RoutedHandler> released) {
    this.handler = handler;
    this.released = released;
  }

  public Handler handler() {
    return handler;
  }

  /**
   * Counts one more invocation, unless the handler has left the table. The count comes before the
   * look at {@code retired}, and {@link #retire()} does the two the other way round: so either this
   * caller sees that the handler is gone, or the table's owner sees that it is busy.
   *
   * @return false if the handler has left: pick again, from the current table
   */
  public boolean enter() {
    inFlight.incrementAndGet();
    if (retired) {
      leave();
      return false;
    }
    return true;
  }

  /** Ends what a successful {@link #enter()} began. */
  public void leave() {
    if (inFlight.decrementAndGet() == 0 && retired) {
      released.accept(this);
    }
  }

  /** How deep what it is answering is; on the invocation loop only. */
  public Depths depths() {
    if (depths == null) {
      depths = new Depths();
    }
    return depths;
  }

  /** A connection was refused: others are tried first for a second. */
  public void refused() {
    refusedAt = System.nanoTime();
  }

  boolean isAvoided() {
    return System.nanoTime() - refusedAt < AVOIDED_NANOS;
  }

  public int inFlight() {
    return inFlight.get();
  }

  boolean isRetired() {
    return retired;
  }

  /**
   * @return whether it is still answering
   */
  boolean retire() {
    retired = true;
    return inFlight.get() > 0;
  }

  void reinstate() {
    retired = false;
  }
}
