package io.tinyfaas.gateway.mqtt;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What the gateway publishes to devices, with MQTT 5's properties, which older clients do not see.
 *
 * @param qos 0 or 1
 * @param retain whether it is the topic's state from now on; with an empty body there is none
 * @param contentType empty if there is none
 * @param correlation of the request that it answers; empty if there is none
 * @param properties User Properties, in their order
 */
public record Message(
    String topic,
    int qos,
    boolean retain,
    String contentType,
    byte[] correlation,
    List<Map.Entry<String, String>> properties,
    byte[] body) {

  public Message {
    Objects.requireNonNull(topic, "topic");
    Objects.requireNonNull(contentType, "contentType");
    Objects.requireNonNull(correlation, "correlation");
    properties = List.copyOf(properties);
    Objects.requireNonNull(body, "body");
  }
}
