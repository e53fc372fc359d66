package io.tinyfaas.contract.route;

import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * When a cron expression is due, of five fields as in a crontab. What its fields mean is a
 * library's to say; what becomes of it where a zone's clocks are set is said here: a time of day
 * that is left out is due once, when the clocks have been set, and one that comes twice is due the
 * first time. An expression for every hour ({@code *}) is no time of day, and goes on evenly.
 */
public final class CronTimes {

  public static final int MAX_LENGTH = 100;

  private static final Pattern FIELDS = Pattern.compile("[0-9A-Za-z*,/-]+(?: [0-9A-Za-z*,/-]+){4}");

  /** From here on there is each day that there ever is. */
  private static final LocalDateTime ANY = LocalDateTime.of(2000, 1, 1, 0, 0);

  private final ExecutionTime local;
  private final boolean everyHour;

  private CronTimes(ExecutionTime local, boolean everyHour) {
    this.local = local;
    this.everyHour = everyHour;
  }

  /**
   * @throws IllegalArgumentException if it is no such expression, or is never due; says why
   */
  public static CronTimes parse(String cron) {
    if (cron.length() > MAX_LENGTH || !FIELDS.matcher(cron).matches()) {
      throw new IllegalArgumentException(
          "it has not five fields with a space between each two, in at most "
              + MAX_LENGTH
              + " characters");
    }
    CronParser parser = new CronParser(CronDefinitionBuilder.instanceDefinitionFor(CronType.UNIX));
    ExecutionTime local = ExecutionTime.forCron(parser.parse(cron).validate());
    CronTimes times = new CronTimes(local, cron.split(" ", -1)[1].equals("*"));
    if (times.onOrAfter(ANY).isEmpty()) {
      throw new IllegalArgumentException("there is no such day in any year");
    }
    return times;
  }

  /** The first time after this one; empty if there is none any more. */
  public Optional<Instant> next(Instant after, ZoneId zone) {
    ZoneRules rules = zone.getRules();
    Instant from = after.plusNanos(1);
    while (true) {
      ZoneOffset offset = rules.getOffset(from);
      Optional<LocalDateTime> due = onOrAfter(shown(from, rules));
      if (due.isEmpty()) {
        return Optional.empty();
      }
      ZoneOffsetTransition set = rules.nextTransition(from);
      if (set == null || due.get().isBefore(set.getDateTimeBefore())) {
        return Optional.of(due.get().toInstant(offset));
      }
      if (set.isGap() && !everyHour && due.get().isBefore(set.getDateTimeAfter())) {
        return Optional.of(set.getInstant());
      }
      from = set.getInstant();
    }
  }

  /** What a clock on the wall shows; when it shows a time again, what it will show after that. */
  private LocalDateTime shown(Instant from, ZoneRules rules) {
    LocalDateTime time =
        LocalDateTime.ofEpochSecond(from.getEpochSecond(), from.getNano(), rules.getOffset(from));
    ZoneOffsetTransition set = rules.previousTransition(from.plusNanos(1));
    boolean again =
        set != null && set.isOverlap() && !everyHour && time.isBefore(set.getDateTimeBefore());
    return again ? set.getDateTimeBefore() : time;
  }

  private Optional<LocalDateTime> onOrAfter(LocalDateTime time) {
    LocalDateTime second = time.truncatedTo(ChronoUnit.SECONDS);
    LocalDateTime before = second.equals(time) ? second.minusSeconds(1) : second;
    return local.nextExecution(before.atZone(ZoneOffset.UTC)).map(ZonedDateTime::toLocalDateTime);
  }
}
