package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.route.FunctionName;
import io.vertx.core.MultiMap;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a client may say of a call besides its request.
 *
 * @param key a second request with the same is the same call
 * @param delay how long it is kept before it runs
 * @param notBefore when it runs at the earliest
 * @param callback the function that is called with what becomes of it
 */
public record CallOptions(
    Optional<String> key,
    Duration delay,
    Optional<Instant> notBefore,
    Optional<FunctionName> callback) {

  /** It runs as soon as it can. */
  public static final CallOptions NONE =
      new CallOptions(Optional.empty(), Duration.ZERO, Optional.empty(), Optional.empty());

  public static final Duration MAX_DELAY = Duration.ofDays(30);

  /** The existing tinyFaaS' header of who does not wait for the answer; its value is none's. */
  public static final String ASYNC = "X-tinyFaaS-Async";

  /** The same as RFC 7240 has it (4.1), in {@code Prefer}. */
  public static final String RESPOND_ASYNC = "respond-async";

  public static final String PREFER = "Prefer";

  private static final Pattern PREFERS_ASYNC =
      Pattern.compile("(?:^|[,;])\\s*respond-async\\s*(?:$|[,;])", Pattern.CASE_INSENSITIVE);

  private static final String KEY = "Idempotency-Key";
  private static final String DELAY = "X-tinyFaaS-Delay";
  private static final String NOT_BEFORE = "X-tinyFaaS-Not-Before";
  public static final String CALLBACK = "X-tinyFaaS-Callback";

  private static final int MAX_KEY = 255;
  private static final Pattern TIME = Pattern.compile("(\\d{1,9})(ms|s|m|h|d)?");

  /** Whether a client says that it does not wait for the answer. */
  public static boolean isAsked(MultiMap headers) {
    return headers.contains(ASYNC)
        || headers.contains(PREFER)
            && headers.getAll(PREFER).stream().anyMatch(each -> PREFERS_ASYNC.matcher(each).find());
  }

  /**
   * @throws IllegalArgumentException if one of them is none, with a message for the client
   */
  public static CallOptions of(MultiMap headers) {
    Duration delay = one(headers, DELAY).map(CallOptions::delay).orElse(Duration.ZERO);
    Optional<Instant> notBefore = one(headers, NOT_BEFORE).map(CallOptions::instant);
    if (!delay.isZero() && notBefore.isPresent()) {
      throw new IllegalArgumentException("Say " + DELAY + " or " + NOT_BEFORE + ", not both.");
    }
    return new CallOptions(
        one(headers, KEY).map(CallOptions::key),
        delay,
        notBefore,
        one(headers, CALLBACK).map(CallOptions::callback));
  }

  private static Optional<String> one(MultiMap headers, String name) {
    if (headers.getAll(name).size() > 1) {
      throw new IllegalArgumentException(name + " is there twice: send it once.");
    }
    return Optional.ofNullable(headers.get(name)).map(String::strip);
  }

  private static String key(String text) {
    if (text.isEmpty() || text.length() > MAX_KEY) {
      throw new IllegalArgumentException(KEY + " has 1 to " + MAX_KEY + " characters.");
    }
    return text;
  }

  private static Duration delay(String text) {
    Matcher time = TIME.matcher(text);
    if (time.matches()) {
      long number = Long.parseLong(time.group(1));
      Duration delay =
          switch (time.group(2)) {
            case "ms" -> Duration.ofMillis(number);
            case "m" -> Duration.ofMinutes(number);
            case "h" -> Duration.ofHours(number);
            case "d" -> Duration.ofDays(number);
            case null, default -> Duration.ofSeconds(number);
          };
      if (delay.compareTo(MAX_DELAY) <= 0) {
        return delay;
      }
    }
    throw new IllegalArgumentException(
        DELAY + " is up to 30 days, written like 30 (seconds), 500ms, 10m, 6h or 2d.");
  }

  /** As HTTP has dates, or as RFC 3339 has them. */
  private static Instant instant(String text) {
    for (DateTimeFormatter format :
        new DateTimeFormatter[] {
          DateTimeFormatter.RFC_1123_DATE_TIME, DateTimeFormatter.ISO_OFFSET_DATE_TIME
        }) {
      try {
        Instant then = ZonedDateTime.parse(text, format).toInstant();
        if (then.isAfter(Instant.now().plus(MAX_DELAY))) {
          break;
        }
        return then;
      } catch (DateTimeException e) {
        continue; // the other one
      }
    }
    throw new IllegalArgumentException(
        NOT_BEFORE + " is a time within 30 days, written like 2026-12-31T06:00:00+01:00.");
  }

  private static FunctionName callback(String text) {
    if (!FunctionName.isValid(text)) {
      throw new IllegalArgumentException(CALLBACK + " is the name of a function of this box.");
    }
    return new FunctionName(text);
  }
}
