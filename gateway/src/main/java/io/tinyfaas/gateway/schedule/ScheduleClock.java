package io.tinyfaas.gateway.schedule;

import io.tinyfaas.gateway.call.CallClock;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * The two times that schedules go by: the time of day, and one that runs evenly. The first is
 * trusted if it can be right: a box without a battery begins in 1970, or when it was last switched
 * off, until it has found a time server. All in milliseconds since 1970.
 */
final class ScheduleClock {

  /**
   * So long a clock waits to be set that is behind what the disk tells of: it may be that which is
   * wrong.
   */
  private static final long PATIENCE_MILLIS = Duration.ofDays(1).toMillis();

  private final LongSupplier wall;
  private final LongSupplier steady;
  private final CallClock even;
  private final long built;
  private final long latest;
  private final long startedNanos;
  private boolean set;
  private boolean trusted;

  /**
   * @param wall in milliseconds since 1970
   * @param steady in nanoseconds since whenever
   * @param built when there was a time at the earliest at which this could run
   * @param latest that the disk tells of
   */
  ScheduleClock(LongSupplier wall, LongSupplier steady, long built, long latest) {
    this.wall = wall;
    this.steady = steady;
    this.even = new CallClock(wall, steady);
    this.built = built;
    this.latest = latest - CallClock.JUMP_MILLIS;
    this.startedNanos = steady.getAsLong();
    look();
  }

  /** The time of day. */
  long wall() {
    return wall.getAsLong();
  }

  /** The same, but evenly; what it is set by is told by {@link #look}. */
  long even() {
    return even.now();
  }

  boolean isTrusted() {
    return trusted;
  }

  /**
   * To be called now and then.
   *
   * @return by how much the clock was set, or 0
   */
  long look() {
    long by = even.jump();
    set |= by != 0;
    long now = wall();
    if (now < built) {
      trusted = false;
    } else if (!trusted) {
      long nanos = steady.getAsLong() - startedNanos;
      trusted = now >= latest || set || nanos >= Duration.ofMillis(PATIENCE_MILLIS).toNanos();
    }
    return by;
  }
}
