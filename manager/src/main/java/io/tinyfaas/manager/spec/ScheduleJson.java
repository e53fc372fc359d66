package io.tinyfaas.manager.spec;

import static io.tinyfaas.manager.spec.SpecRules.invalid;
import static io.tinyfaas.manager.text.PlainText.quoted;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tinyfaas.contract.route.CronTimes;
import io.tinyfaas.contract.route.Schedule;
import io.tinyfaas.contract.route.Schedule.Missed;
import io.tinyfaas.contract.route.Schedule.Overlap;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Schedules as people write them:
 *
 * <pre>[{"cron":"0 6 * * 1-5","zone":"Europe/Berlin","method":"POST","path":"/report",
 *   "body":"short","missed":"once","overlap":"skip"},{"every":"90s"}]</pre>
 *
 * What is wrong is told with the field in it, such as {@code schedules[0].cron}.
 */
public final class ScheduleJson {

  private static final List<String> FIELDS =
      List.of("cron", "every", "zone", "method", "path", "body", "missed", "overlap");

  private static final String UTC = "UTC";

  private ScheduleJson() {}

  /** Empty if it is no array of objects. */
  static Optional<List<Schedule>> read(JsonNode array) {
    if (!array.isArray() || !hasObjectsOnly(array)) {
      return Optional.empty();
    }
    if (array.size() > Schedule.MAX_SCHEDULES) {
      throw invalid(
          "schedules",
          "schedules has "
              + array.size()
              + " entries, at most "
              + Schedule.MAX_SCHEDULES
              + " are allowed: let one of them do what several would, or make another function.");
    }
    List<Schedule> schedules = new ArrayList<>();
    Set<Schedule> different = new HashSet<>();
    for (JsonNode each : array) {
      String name = "schedules[" + schedules.size() + "]";
      Schedule schedule = new Reader(name, each).read();
      if (!different.add(schedule)) {
        throw invalid(
            name,
            name
                + " is the same as schedules["
                + schedules.indexOf(schedule)
                + "]: leave one out.");
      }
      schedules.add(schedule);
    }
    return Optional.of(schedules);
  }

  private static boolean hasObjectsOnly(JsonNode array) {
    for (JsonNode each : array) {
      if (!each.isObject()) {
        return false;
      }
    }
    return true;
  }

  /** Missing if there are none. */
  static JsonNode write(List<Schedule> schedules) {
    if (schedules.isEmpty()) {
      return MissingNode.getInstance();
    }
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    schedules.forEach(schedule -> array.add(write(schedule)));
    return array;
  }

  /** Of what an interval has no use for, nothing. */
  public static ObjectNode write(Schedule schedule) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    if (schedule.cron().isPresent()) {
      object.put("cron", schedule.text()).put("zone", schedule.zone());
    } else {
      object.put("every", schedule.text());
    }
    return object
        .put("method", schedule.method())
        .put("path", schedule.path())
        .put("body", schedule.body())
        .put("missed", schedule.missed().text())
        .put("overlap", schedule.overlap().text());
  }

  /**
   * One of them.
   *
   * @param name of the entry
   */
  private record Reader(String name, JsonNode object) {

    Schedule read() {
      for (var field : object.properties()) {
        if (!FIELDS.contains(field.getKey())) {
          throw invalid(
              name,
              name
                  + " has no field "
                  + quoted(field.getKey())
                  + "; its fields are "
                  + String.join(", ", FIELDS)
                  + ".");
        }
      }
      Optional<String> cron = text("cron").map(this::cron);
      Optional<Long> every = has("every") ? Optional.of(every()) : Optional.empty();
      if (cron.isPresent() == every.isPresent()) {
        throw invalid(
            name,
            name
                + (cron.isPresent() ? " has both cron and every" : " has neither cron nor every")
                + ": give it one of them, cron for times of day such as \"0 6 * * *\", every for"
                + " an interval such as \"10m\".");
      }
      if (every.isPresent() && has("zone")) {
        throw invalid(
            name + ".zone",
            name + ".zone is for cron only: an interval is as long in every zone. Leave it out.");
      }
      return new Schedule(
          cron,
          every,
          text("zone").map(this::zone).orElse(UTC),
          text("method").map(this::method).orElse("POST"),
          text("path").map(this::path).orElse(""),
          text("body").map(this::body).orElse(""),
          text("missed").map(this::missed).orElse(Missed.ONCE),
          text("overlap").map(this::overlap).orElse(Overlap.SKIP));
    }

    private boolean has(String field) {
      return object.hasNonNull(field);
    }

    private Optional<String> text(String field) {
      JsonNode value = object.path(field);
      if (has(field) && !value.isTextual()) {
        throw wrong(field, quoted(value.toString()), field + " is a string");
      }
      return Optional.ofNullable(value.textValue());
    }

    private RuntimeException wrong(String field, String shown, String rule) {
      return invalid(
          name + "." + field, name + "." + field + " is " + shown + ", but " + rule + ".");
    }

    private String cron(String text) {
      String cron = text.strip().replaceAll("[ \t]+", " ");
      try {
        CronTimes.parse(cron);
        return cron;
      } catch (IllegalArgumentException e) {
        throw wrong(
            "cron",
            quoted(text),
            plain(e)
                + ". A cron expression is minute, hour, day of the month, month and day of the"
                + " week as in a crontab, such as 30 6 * * 1-5");
      }
    }

    /** The library's sentence as part of ours. */
    private static String plain(IllegalArgumentException why) {
      String message =
          why.getMessage()
              .replaceFirst("^Failed to parse cron expression\\. ", "")
              .replaceFirst("\\.$", "");
      return message.length() > 150 ? "it cannot be read" : message.replaceAll("\\p{Cntrl}", "?");
    }

    private long every() {
      JsonNode value = object.path("every");
      Duration every = SpecType.TIME.read().apply(value).orElse(Duration.ZERO);
      if (every.compareTo(Duration.ofMillis(Schedule.MIN_EVERY_MILLIS)) < 0
          || every.compareTo(Duration.ofMillis(Schedule.MAX_EVERY_MILLIS)) > 0) {
        throw wrong(
            "every",
            quoted(value.isTextual() ? value.textValue() : value.toString()),
            "every is from 1s to 365d, written like 90s, 10m, 6h, 7d or PT6H");
      }
      return every.toMillis();
    }

    private String zone(String zone) {
      if (!Schedule.isZone(zone)) {
        throw wrong(
            "zone", quoted(zone), "zone is UTC or the name of a region, such as Europe/Berlin");
      }
      return zone;
    }

    private String method(String method) {
      if (!Schedule.METHODS.contains(method)) {
        throw wrong(
            "method",
            quoted(method),
            "method is one of " + String.join(", ", new TreeSet<>(Schedule.METHODS)));
      }
      return method;
    }

    private String path(String path) {
      if (!Schedule.isPath(path)) {
        throw wrong(
            "path",
            quoted(path),
            "path begins with a slash, is percent-encoded, has no query, and at most "
                + Schedule.MAX_PATH
                + " characters, such as /report/short");
      }
      return path;
    }

    private String body(String body) {
      int bytes = SpecRules.lengthOf(name + ".body", body);
      if (bytes > Schedule.MAX_BODY_BYTES) {
        throw invalid(
            name + ".body",
            name
                + ".body has "
                + bytes
                + " bytes, at most "
                + Schedule.MAX_BODY_BYTES
                + " are allowed: put more into a file of the archive, and its name into the"
                + " body.");
      }
      return body;
    }

    private Missed missed(String text) {
      return Stream.of(Missed.values())
          .filter(each -> each.text().equals(text))
          .findFirst()
          .orElseThrow(() -> wrong("missed", quoted(text), "missed is skip, once or all"));
    }

    private Overlap overlap(String text) {
      return Stream.of(Overlap.values())
          .filter(each -> each.text().equals(text))
          .findFirst()
          .orElseThrow(() -> wrong("overlap", quoted(text), "overlap is skip or allow"));
    }
  }
}
