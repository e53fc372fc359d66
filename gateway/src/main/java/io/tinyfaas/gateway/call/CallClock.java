package io.tinyfaas.gateway.call;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The time of day that calls are stamped with. It runs evenly between two looks at the wall clock,
 * which a box without a battery sets by decades once it has found a time server: that makes no call
 * old.
 */
public final class CallClock {

  /** What is less is the drift that time servers take back now and then. */
  public static final long JUMP_MILLIS = 60_000;

  private final LongSupplier wall;
  private final LongSupplier steady;
  private long offset;

  CallClock() {
    this(System::currentTimeMillis, System::nanoTime);
  }

  /**
   * @param wall in milliseconds since 1970
   * @param steady in nanoseconds since whenever
   */
  public CallClock(LongSupplier wall, LongSupplier steady) {
    this.wall = wall;
    this.steady = steady;
    this.offset = wall.getAsLong() - steadyMillis();
  }

  /** In milliseconds since 1970. */
  public long now() {
    return offset + steadyMillis();
  }

  /**
   * Follows the wall clock if it has been set.
   *
   * @return by how many milliseconds, or 0
   */
  public long jump() {
    long by = wall.getAsLong() - now();
    if (Math.abs(by) < JUMP_MILLIS) {
      return 0;
    }
    offset += by;
    return by;
  }

  /**
   * By how much the clock is behind a time that has been: a box without a battery begins in 1970,
   * or when it was last switched off.
   *
   * @return in milliseconds, or 0
   */
  long behind(long past) {
    long by = past - now();
    return by < JUMP_MILLIS ? 0 : by;
  }

  private long steadyMillis() {
    return TimeUnit.NANOSECONDS.toMillis(steady.getAsLong());
  }
}
