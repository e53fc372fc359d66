package io.tinyfaas.contract.mqtt;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/**
 * Published messages that a function is called with.
 *
 * @param topic which of them: at neither broker one that begins with {@code $}, and at the box's
 *     own none at or below {@value #REQUESTS}, where functions are asked directly
 * @param qos with which an external broker is asked for them, 0 to 2
 * @param reply where at the box's own broker what the function answers is published; no topic of
 *     this trigger
 * @param shared whether an external broker gives each message to one only of the gateways that have
 *     such a trigger; the box's own has one gateway
 * @param broker where they are published
 */
public record MqttTrigger(
    TopicFilter topic,
    int qos,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<String> reply,
    boolean shared,
    Source broker) {

  /** Of a function. */
  public static final int MAX_TRIGGERS = 16;

  public static final int DEFAULT_QOS = 1;

  /** The first level of the topics at which devices ask functions. */
  public static final String REQUESTS = "functions";

  /** Where messages come from. */
  public enum Source {
    /** Devices publish them at this box. */
    BOX,
    /** Another broker has them, to which the gateway is connected. */
    EXTERNAL;

    @JsonValue
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * @throws IllegalArgumentException if the text is neither
     */
    @JsonCreator
    public static Source parse(String text) {
      for (Source each : values()) {
        if (each.text().equals(text)) {
          return each;
        }
      }
      throw new IllegalArgumentException("broker is box or external");
    }
  }

  /**
   * @throws IllegalArgumentException if a value is out of its range; says which
   */
  public MqttTrigger {
    Objects.requireNonNull(topic, "topic");
    Objects.requireNonNull(broker, "broker");
    require(qos >= 0 && qos <= 2, "qos is " + qos + ", not 0, 1 or 2");
    require(isOpen(topic.value(), broker), "nothing is told of topic " + topic);
    require(broker == Source.EXTERNAL || !shared, "shared is for an external broker only");
    require(
        reply.map(to -> TopicFilter.isTopic(to) && isOpen(to, Source.BOX)).orElse(true),
        "reply is no topic that can be written");
    require(
        reply.map(to -> !topic.matches(to)).orElse(true),
        "reply is a topic of the trigger itself: each reply would make the next call");
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }

  /** Whether a topic or a filter is none that the brokers or the gateway have for themselves. */
  public static boolean isOpen(String topic, Source broker) {
    return !topic.startsWith("$") && (broker == Source.EXTERNAL || !isRequest(topic));
  }

  /** Whether functions are asked there. */
  public static boolean isRequest(String topic) {
    return topic.startsWith(REQUESTS)
        && (topic.length() == REQUESTS.length() || topic.charAt(REQUESTS.length()) == '/');
  }

  /** Whether both are for the same messages. */
  public boolean isLike(MqttTrigger other) {
    return topic.equals(other.topic) && broker == other.broker;
  }
}
