package io.tinyfaas.contract.mqtt;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/**
 * Topics of MQTT, by a pattern: {@code +} stands for one level, {@code #} at the end for the level
 * above it and whatever is below (MQTT 5, 4.7). The prefix of a shared subscription is no part of
 * it.
 */
public record TopicFilter(@JsonValue String value) {

  public static final int MAX_BYTES = 512;

  /** Each level of a topic takes a turn of whoever matches it. */
  public static final int MAX_LEVELS = 32;

  public static final String RULE =
      "1 to "
          + MAX_BYTES
          + " bytes and at most "
          + MAX_LEVELS
          + " levels, no control characters, + only as a whole level and # only as the last, such as"
          + " shed/+/temperature or shed/#";

  /**
   * @throws IllegalArgumentException if the value breaks {@link #RULE}
   */
  @JsonCreator
  public TopicFilter {
    if (!isValid(value)) {
      throw new IllegalArgumentException("a topic filter has " + RULE);
    }
  }

  public static boolean isValid(String value) {
    if (value == null || !isText(value)) {
      return false;
    }
    String[] levels = levels(value);
    for (int i = 0; i < levels.length; i++) {
      boolean wild = levels[i].equals("+") || levels[i].equals("#") && i == levels.length - 1;
      if (!wild && (levels[i].indexOf('+') >= 0 || levels[i].indexOf('#') >= 0)) {
        return false;
      }
    }
    return true;
  }

  /** Whether a message may have this topic: as a filter, but without wildcards. */
  public static boolean isTopic(String value) {
    return value != null && isText(value) && value.indexOf('+') < 0 && value.indexOf('#') < 0;
  }

  private static boolean isText(String value) {
    return !value.isEmpty()
        && value.length() <= MAX_BYTES
        && value.getBytes(UTF_8).length <= MAX_BYTES
        && value.chars().noneMatch(Character::isISOControl)
        && value.chars().filter(each -> each == '/').count() < MAX_LEVELS;
  }

  private static String[] levels(String value) {
    return value.split("/", -1);
  }

  /** Topics that begin with {@code $} are matched by no wildcard at the beginning (4.7.2). */
  public boolean matches(String topic) {
    return covers(levels(topic), topic);
  }

  /** Whether all topics of the other one are topics of this one. */
  public boolean covers(TopicFilter other) {
    return covers(levels(other.value), other.value);
  }

  private boolean covers(String[] others, String text) {
    String[] levels = levels(value);
    boolean wildFirst = levels[0].equals("+") || levels[0].equals("#");
    if (wildFirst && text.startsWith("$")) {
      return false;
    }
    for (int i = 0; i < levels.length; i++) {
      if (levels[i].equals("#")) {
        return true;
      }
      if (i == others.length || others[i].equals("#")) {
        return false;
      }
      if (!levels[i].equals("+") && !levels[i].equals(others[i])) {
        return false;
      }
    }
    return levels.length == others.length;
  }

  @Override
  public String toString() {
    return value;
  }
}
