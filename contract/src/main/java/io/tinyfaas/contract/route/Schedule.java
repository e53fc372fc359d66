package io.tinyfaas.contract.route;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import java.nio.charset.StandardCharsets;
import java.time.ZoneId;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * When a function is called by the clock, and with what. There is either a cron expression or an
 * interval.
 *
 * @param cron five fields, as {@link CronTimes} reads them
 * @param everyMillis an interval in milliseconds, {@value #MIN_EVERY_MILLIS} to {@value
 *     #MAX_EVERY_MILLIS}
 * @param zone in which the cron expression is meant, by its name at IANA
 * @param method of {@link #METHODS}
 * @param path begins with a slash and is percent-encoded, or is empty; at most {@value #MAX_PATH}
 *     characters
 * @param body of at most {@value #MAX_BODY_BYTES} bytes in UTF-8
 */
public record Schedule(
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<String> cron,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<Long> everyMillis,
    String zone,
    String method,
    String path,
    String body,
    Missed missed,
    Overlap overlap) {

  /** Of a function. */
  public static final int MAX_SCHEDULES = 16;

  public static final long MIN_EVERY_MILLIS = 1_000;

  /** 365 days. */
  public static final long MAX_EVERY_MILLIS = 31_536_000_000L;

  public static final Set<String> METHODS = Set.of("GET", "POST", "PUT", "PATCH", "DELETE");
  public static final int MAX_PATH = 255;
  public static final int MAX_BODY_BYTES = 4 * 1_024;

  private static final Pattern PATH =
      Pattern.compile("(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?");

  /** What becomes of times that passed while the box was off or its clock was wrong. */
  public enum Missed {
    /** Nothing. */
    SKIP,
    /** The latest of them is made up for. */
    ONCE,
    /** Each of them is, the oldest first. */
    ALL;

    @JsonValue
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * @throws IllegalArgumentException if the text is none of them
     */
    @JsonCreator
    public static Missed parse(String text) {
      for (Missed each : values()) {
        if (each.text().equals(text)) {
          return each;
        }
      }
      throw new IllegalArgumentException("missed is skip, once or all");
    }
  }

  /** What becomes of a time at which the call of the one before has not ended. */
  public enum Overlap {
    /** It is left out. */
    SKIP,
    /** It makes a call of its own. */
    ALLOW;

    @JsonValue
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * @throws IllegalArgumentException if the text is neither
     */
    @JsonCreator
    public static Overlap parse(String text) {
      for (Overlap each : values()) {
        if (each.text().equals(text)) {
          return each;
        }
      }
      throw new IllegalArgumentException("overlap is skip or allow");
    }
  }

  /**
   * Whether the expression is one, and is ever due, is not looked at here: of a table with many it
   * takes long.
   *
   * @throws IllegalArgumentException if a value is out of its range; says which
   */
  public Schedule {
    Objects.requireNonNull(missed, "missed");
    Objects.requireNonNull(overlap, "overlap");
    require(cron.isPresent() != everyMillis.isPresent(), "a schedule has either cron or every");
    require(
        cron.map(String::length).orElse(0) <= CronTimes.MAX_LENGTH,
        "cron has at most " + CronTimes.MAX_LENGTH + " characters");
    long every = everyMillis.orElse(MIN_EVERY_MILLIS);
    require(
        every >= MIN_EVERY_MILLIS && every <= MAX_EVERY_MILLIS,
        "every is " + every + " ms, not from " + MIN_EVERY_MILLIS + " to " + MAX_EVERY_MILLIS);
    require(isZone(zone), "there is no zone " + zone);
    require(METHODS.contains(method), "method is none of " + METHODS);
    require(isPath(path), "path is no path of at most " + MAX_PATH + " characters");
    require(bytes(body) <= MAX_BODY_BYTES, "body has more than " + MAX_BODY_BYTES + " bytes");
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }

  public static boolean isPath(String path) {
    return path.length() <= MAX_PATH && PATH.matcher(path).matches();
  }

  /** Whether it is the name of a region or {@code UTC}; an offset is none. */
  public static boolean isZone(String zone) {
    return zone.equals("UTC") || ZoneId.getAvailableZoneIds().contains(zone);
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  /** What is due, as people write it. */
  @JsonIgnore
  public String text() {
    return cron.orElseGet(() -> everyText(everyMillis.orElseThrow()));
  }

  private static String everyText(long millis) {
    if (millis % 86_400_000 == 0) {
      return millis / 86_400_000 + "d";
    } else if (millis % 3_600_000 == 0) {
      return millis / 3_600_000 + "h";
    } else if (millis % 60_000 == 0) {
      return millis / 60_000 + "m";
    } else if (millis % 1_000 == 0) {
      return millis / 1_000 + "s";
    }
    return millis + "ms";
  }
}
