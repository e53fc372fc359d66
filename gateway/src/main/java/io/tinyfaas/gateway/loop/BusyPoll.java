package io.tinyfaas.gateway.loop;

import io.netty.channel.EventLoop;
import io.netty.channel.SingleThreadEventLoop;

/**
 * Lets the loop look for what is about to come instead of going to sleep at once: being woken up
 * takes longer than most functions. Each wait that was in vain lets the next ones go by, so that
 * little time is lost where nothing comes soon: one such look of {@link #LOOK_NANOS} in {@link
 * #MAX_SKIPPED} waits (docs/adr/0023-busy-polling.md). On the loop only.
 */
public final class BusyPoll {

  /** A round trip to a device on this box, or to a short function, takes half of it. */
  private static final long LOOK_NANOS = 100_000;

  private static final int MAX_SKIPPED = 64;

  /** Null if it never looks. */
  private final SingleThreadEventLoop loop;

  private final Runnable inTurn = this::inTurn;
  private final Runnable afterTurn = this::afterTurn;
  private boolean awaiting;
  private boolean turning;
  private long until;
  private int toSkip;
  private int skipped;

  public BusyPoll(EventLoop loop) {
    this(loop, Runtime.getRuntime().availableProcessors());
  }

  /**
   * @param processors with one only it never looks: what is to come could not run meanwhile
   */
  BusyPoll(EventLoop loop, int processors) {
    this.loop = processors > 1 && loop instanceof SingleThreadEventLoop single ? single : null;
  }

  /** Something is expected from now on. */
  public void await() {
    if (loop == null) {
      return;
    }
    if (skipped < toSkip) {
      skipped++;
      return;
    }
    awaiting = true;
    until = System.nanoTime() + LOOK_NANOS;
    if (!turning) {
      turning = true;
      loop.execute(inTurn);
    }
  }

  /** It has come. */
  public void arrived() {
    if (awaiting) {
      awaiting = false;
      toSkip = 0;
    }
  }

  boolean isLooking() {
    return turning;
  }

  // The loop does not sleep while a task waits, and runs this one once between two looks.

  private void inTurn() {
    loop.executeAfterEventLoopIteration(afterTurn);
  }

  private void afterTurn() {
    if (awaiting && System.nanoTime() - until < 0) {
      loop.execute(inTurn);
      return;
    }
    turning = false;
    if (awaiting) {
      awaiting = false;
      skipped = 0;
      toSkip = Math.min(MAX_SKIPPED, Math.max(1, 2 * toSkip));
    }
  }
}
