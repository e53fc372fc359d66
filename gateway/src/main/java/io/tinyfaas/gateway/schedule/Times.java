package io.tinyfaas.gateway.schedule;

import io.tinyfaas.contract.route.CronTimes;
import io.tinyfaas.contract.route.Schedule;
import java.time.Instant;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jboss.logging.Logger;

/**
 * When schedules are due. What was made of the cron expressions that were asked for last is kept,
 * as making it takes longer than asking it; of all it would take megabytes.
 */
final class Times {

  /** Later than anything. */
  static final long NEVER = Long.MAX_VALUE;

  private static final Logger LOG = Logger.getLogger(Times.class);

  private static final int KEPT = 256;

  /** No two times of a cron expression are nearer to each other. */
  private static final long CRON_MILLIS = 60_000;

  private final Map<String, Optional<CronTimes>> crons =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Optional<CronTimes>> eldest) {
          return size() > KEPT;
        }
      };

  /** The first time after this one, or {@link #NEVER}. */
  long next(Schedule schedule, long after) {
    if (schedule.everyMillis().isPresent()) {
      return after + schedule.everyMillis().get();
    }
    return cron(schedule.text())
        .flatMap(times -> times.next(Instant.ofEpochMilli(after), ZoneId.of(schedule.zone())))
        .map(Instant::toEpochMilli)
        .orElse(NEVER);
  }

  /**
   * The last time up to now.
   *
   * @param first a time of it, up to now
   */
  long latest(Schedule schedule, long first, long now) {
    if (schedule.everyMillis().isPresent()) {
      return now - (now - first) % schedule.everyMillis().get();
    }
    // After early there is a time up to now, after late there is none.
    long late = now;
    long early = now - CRON_MILLIS;
    while (early > first && next(schedule, early) > now) {
      late = early;
      early = now - 2 * (now - early);
    }
    if (early <= first) {
      early = first - 1;
    }
    while (late - early > CRON_MILLIS) {
      long between = early + (late - early) / 2;
      if (next(schedule, between) <= now) {
        early = between;
      } else {
        late = between;
      }
    }
    return next(schedule, early);
  }

  private Optional<CronTimes> cron(String text) {
    return crons.computeIfAbsent(text, Times::parse);
  }

  private static Optional<CronTimes> parse(String text) {
    try {
      return Optional.of(CronTimes.parse(text));
    } catch (IllegalArgumentException e) {
      LOG.warnf("event=schedule-invalid cron=\"%s\" reason=\"%s\"", text, e.getMessage());
      return Optional.empty();
    }
  }
}
