package io.tinyfaas.manager.spec;

import static io.tinyfaas.manager.spec.SpecRules.invalid;
import static io.tinyfaas.manager.text.PlainText.quoted;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tinyfaas.contract.mqtt.MqttTrigger;
import io.tinyfaas.contract.mqtt.MqttTrigger.Source;
import io.tinyfaas.contract.mqtt.TopicFilter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Triggers as people write them:
 *
 * <pre>[{"topic":"shed/+/temperature","reply":"shed/alarms"},
 *  {"topic":"plant/#","qos":2,"shared":true,"broker":"external"}]</pre>
 *
 * What is wrong is told with the field in it, such as {@code mqtt[0].topic}.
 */
final class TriggerJson {

  private static final List<String> FIELDS = List.of("topic", "qos", "reply", "shared", "broker");

  private TriggerJson() {}

  /** Empty if it is no array of objects. */
  static Optional<List<MqttTrigger>> read(JsonNode array) {
    if (!array.isArray() || !array.valueStream().allMatch(JsonNode::isObject)) {
      return Optional.empty();
    }
    if (array.size() > MqttTrigger.MAX_TRIGGERS) {
      throw invalid(
          "mqtt",
          "mqtt has "
              + array.size()
              + " entries, at most "
              + MqttTrigger.MAX_TRIGGERS
              + " are allowed: let wildcards stand for several topics, such as shed/+/temperature.");
    }
    List<MqttTrigger> triggers = new ArrayList<>();
    for (JsonNode each : array) {
      String name = "mqtt[" + triggers.size() + "]";
      MqttTrigger trigger = new Reader(name, each).read();
      for (int i = 0; i < triggers.size(); i++) {
        if (triggers.get(i).isLike(trigger)) {
          throw invalid(
              name,
              name
                  + " has the topic of mqtt["
                  + i
                  + "]: a message makes one call for each, so leave one out.");
        }
      }
      triggers.add(trigger);
    }
    return Optional.of(triggers);
  }

  /** Missing if there are none. */
  static JsonNode write(List<MqttTrigger> triggers) {
    if (triggers.isEmpty()) {
      return MissingNode.getInstance();
    }
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    triggers.forEach(trigger -> array.add(write(trigger)));
    return array;
  }

  private static ObjectNode write(MqttTrigger trigger) {
    ObjectNode object =
        JsonNodeFactory.instance
            .objectNode()
            .put("topic", trigger.topic().value())
            .put("qos", trigger.qos());
    trigger.reply().ifPresent(reply -> object.put("reply", reply));
    if (trigger.broker() == Source.EXTERNAL) {
      object.put("shared", trigger.shared());
    }
    return object.put("broker", trigger.broker().text());
  }

  /**
   * One of them.
   *
   * @param name of the entry
   */
  private record Reader(String name, JsonNode object) {

    MqttTrigger read() {
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
      Source broker = text("broker").map(this::broker).orElse(Source.BOX);
      TopicFilter topic = topic(broker);
      Optional<String> reply = text("reply").map(to -> reply(to, topic));
      return new MqttTrigger(topic, qos(), reply, shared(broker), broker);
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

    private Source broker(String text) {
      return Stream.of(Source.values())
          .filter(each -> each.text().equals(text))
          .findFirst()
          .orElseThrow(
              () ->
                  wrong(
                      "broker",
                      quoted(text),
                      "broker is box, for what devices publish at this box, or external"));
    }

    private TopicFilter topic(Source broker) {
      String topic =
          text("topic")
              .orElseThrow(
                  () ->
                      invalid(
                          name + ".topic",
                          name + " has no topic: give it one, such as shed/+/temperature."));
      if (!TopicFilter.isValid(topic)) {
        throw wrong("topic", quoted(topic), "a topic has " + TopicFilter.RULE);
      }
      requireOpen("topic", topic, broker);
      return new TopicFilter(topic);
    }

    private void requireOpen(String field, String topic, Source broker) {
      if (topic.startsWith("$")) {
        throw wrong(
            field, quoted(topic), "what begins with $ is a broker's own: name another topic");
      }
      if (!MqttTrigger.isOpen(topic, broker)) {
        throw wrong(
            field,
            quoted(topic),
            "at and below "
                + MqttTrigger.REQUESTS
                + "/ functions are asked by their names, and need no trigger: name another topic");
      }
    }

    private String reply(String reply, TopicFilter topic) {
      if (!TopicFilter.isTopic(reply)) {
        throw wrong(
            "reply",
            quoted(reply),
            "a reply goes to one topic: no wildcards, no control characters, at most "
                + TopicFilter.MAX_BYTES
                + " bytes and "
                + TopicFilter.MAX_LEVELS
                + " levels");
      }
      requireOpen("reply", reply, Source.BOX);
      if (topic.matches(reply)) {
        throw wrong(
            "reply",
            quoted(reply),
            "that is a topic of "
                + name
                + " itself, whose replies would call the function again and again: reply to"
                + " another one");
      }
      return reply;
    }

    private int qos() {
      JsonNode qos = object.path("qos");
      if (!has("qos")) {
        return MqttTrigger.DEFAULT_QOS;
      }
      if (!qos.isIntegralNumber()
          || !qos.canConvertToInt()
          || qos.intValue() < 0
          || qos.intValue() > 2) {
        throw wrong(
            "qos", quoted(qos.isTextual() ? qos.textValue() : qos.toString()), "qos is 0, 1 or 2");
      }
      return qos.intValue();
    }

    private boolean shared(Source broker) {
      JsonNode shared = object.path("shared");
      if (has("shared") && !shared.isBoolean()) {
        throw wrong("shared", quoted(shared.toString()), "shared is true or false");
      }
      if (shared.asBoolean(false) && broker != Source.EXTERNAL) {
        throw wrong(
            "shared",
            "true",
            "what devices publish at this box has one gateway anyway: it is for \"broker\":"
                + " \"external\" only");
      }
      return shared.asBoolean(false);
    }
  }
}
