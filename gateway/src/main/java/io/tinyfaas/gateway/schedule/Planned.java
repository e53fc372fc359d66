package io.tinyfaas.gateway.schedule;

import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.route.Schedule;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A schedule of a function, and how far it is. Its times are of the clock that it goes by: that of
 * the day if it is a cron expression, the even one if it is an interval. On the loop only.
 */
final class Planned {

  /** It is not known yet from when on it counts. */
  static final long UNKNOWN = Long.MIN_VALUE;

  final String function;
  final long key;

  /** As it is in the table of now, so that no other is held. */
  Schedule schedule;

  /** Up to this time all is done. */
  long position = UNKNOWN;

  Optional<Long> last = Optional.empty();
  Optional<CallId> call = Optional.empty();

  /** What it is time for next. */
  long next = Times.NEVER;

  /** When to look at it again. */
  long lookAt = Long.MIN_VALUE;

  /** Times up to this one had been missed when they were found. */
  long missedUntil = Long.MIN_VALUE;

  /** How many of those have made a call. */
  int madeUp;

  /** The time that was refused last. */
  long refused = UNKNOWN;

  /** Of a call for it that the disk may have, and is said not to have. */
  OptionalLong failedNumber = OptionalLong.empty();

  /** The time whose call is being written. */
  long firing;

  boolean isWriting;
  boolean isRemoved;

  Planned(String function, Schedule schedule, long key) {
    this.function = function;
    this.schedule = schedule;
    this.key = key;
  }

  boolean isCron() {
    return schedule.cron().isPresent();
  }

  /** The even clock was set, and shows other times for the same. */
  void shift(long by) {
    position += by;
    firing += by;
    last = last.map(time -> time + by);
    next = next == Times.NEVER ? next : next + by;
    lookAt = lookAt == Times.NEVER || lookAt == Long.MIN_VALUE ? lookAt : lookAt + by;
    missedUntil = missedUntil == Long.MIN_VALUE ? missedUntil : missedUntil + by;
    refused = refused == UNKNOWN ? refused : refused + by;
  }
}
