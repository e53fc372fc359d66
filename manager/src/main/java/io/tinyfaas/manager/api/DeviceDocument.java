package io.tinyfaas.manager.api;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_REQUEST;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tinyfaas.contract.device.DeviceTopics;
import io.tinyfaas.contract.device.KeySeal;
import io.tinyfaas.contract.mqtt.TopicFilter;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.text.JsonDocument;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What somebody sends of a device as JSON.
 *
 * @param key that it has already
 * @param certificate in PEM
 * @param topics what it may publish and subscribe by MQTT besides what every device may
 */
record DeviceDocument(
    Optional<byte[]> key, Optional<byte[]> certificate, Optional<DeviceTopics> topics) {

  private static final Set<String> FIELDS = Set.of("keyHex", "certificate", "mqtt");
  private static final Set<String> LISTS = Set.of("publish", "subscribe");

  /**
   * @throws ProblemException INVALID_REQUEST, with the field that is wrong
   */
  static DeviceDocument of(byte[] json) {
    ObjectNode document = JsonDocument.parse(json);
    requireFields(document, FIELDS, "");
    if (document.isEmpty()) {
      throw ProblemException.of(
          INVALID_REQUEST,
          "The object is empty: it has keyHex, certificate or mqtt. Send no body for a new key.");
    }
    if (document.has("keyHex") && document.has("certificate")) {
      throw invalid("certificate", "A device has a key or a certificate: leave one out.");
    }
    return new DeviceDocument(
        Optional.ofNullable(document.get("keyHex")).map(DeviceDocument::key),
        Optional.ofNullable(document.get("certificate")).map(DeviceDocument::certificate),
        Optional.ofNullable(document.get("mqtt")).map(DeviceDocument::topics));
  }

  private static void requireFields(JsonNode node, Set<String> allowed, String prefix) {
    for (Iterator<String> each = node.fieldNames(); each.hasNext(); ) {
      String name = each.next();
      if (!allowed.contains(name)) {
        throw invalid(
            prefix + name,
            "There is no such field: "
                + String.join(", ", allowed.stream().sorted().toList())
                + (prefix.isEmpty() ? " of a device." : " of mqtt."));
      }
    }
  }

  private static byte[] key(JsonNode node) {
    String hex = node.asText("");
    try {
      if (hex.length() >= 2 * KeySeal.MIN_KEY_BYTES && hex.length() <= 2 * KeySeal.MAX_KEY_BYTES) {
        return HexFormat.of().parseHex(hex);
      }
    } catch (IllegalArgumentException e) {
      // It is said below.
    }
    throw invalid(
        "keyHex",
        "keyHex is a key of "
            + KeySeal.MIN_KEY_BYTES
            + " to "
            + KeySeal.MAX_KEY_BYTES
            + " bytes in hexadecimal digits.");
  }

  private static byte[] certificate(JsonNode node) {
    if (!node.isTextual()) {
      throw invalid("certificate", "certificate is a text: one certificate in PEM.");
    }
    return node.asText().getBytes(UTF_8);
  }

  private static DeviceTopics topics(JsonNode node) {
    if (!node.isObject()) {
      throw invalid("mqtt", "mqtt is an object: {\"publish\": […], \"subscribe\": […]}.");
    }
    requireFields(node, LISTS, "mqtt.");
    return new DeviceTopics(filters(node, "publish"), filters(node, "subscribe"));
  }

  private static List<TopicFilter> filters(JsonNode mqtt, String name) {
    JsonNode list = mqtt.path(name);
    String field = "mqtt." + name;
    if (list.isMissingNode()) {
      return List.of();
    }
    if (!list.isArray() || list.size() > DeviceTopics.MAX_FILTERS) {
      throw invalid(
          field, field + " is a list of at most " + DeviceTopics.MAX_FILTERS + " topic filters.");
    }
    List<TopicFilter> filters = new ArrayList<>();
    for (JsonNode each : list) {
      if (!each.isTextual() || !TopicFilter.isValid(each.asText())) {
        throw invalid(field, "A topic filter has " + TopicFilter.RULE + ".");
      }
      if (each.asText().startsWith("$")) {
        throw invalid(
            field,
            "What begins with $ is the broker's own, and for no device; a shared subscription is"
                + " allowed if its filter is.");
      }
      filters.add(new TopicFilter(each.asText()));
    }
    return filters;
  }

  private static ProblemException invalid(String field, String detail) {
    return ProblemException.ofField(INVALID_REQUEST, field, detail);
  }
}
