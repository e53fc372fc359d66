package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;
import io.netty.handler.codec.mqtt.MqttPublishMessage;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A device's PUBLISH becomes a {@link Publication}. */
final class Received {

  private Received() {}

  static boolean hasTopicAlias(MqttPublishMessage publish) {
    return property(publish.variableHeader().properties(), MqttPropertyType.TOPIC_ALIAS) != null;
  }

  /**
   * @param packet the whole of it as it came
   */
  static Publication publication(
      MqttPublishMessage publish, ByteBuf packet, Sender sender, boolean five) {
    int body = PacketSizes.bodyOfPublish(packet, five);
    return publication(
        sender,
        publish.variableHeader().topicName(),
        publish.fixedHeader().qosLevel().value(),
        publish.fixedHeader().isRetain(),
        publish.fixedHeader().isDup(),
        publish.variableHeader().properties(),
        ByteBufUtil.getBytes(packet, body, packet.writerIndex() - body));
  }

  static Publication publication(
      Sender sender,
      String topic,
      int qos,
      boolean retained,
      boolean duplicate,
      MqttProperties properties,
      byte[] body) {
    return new Publication(
        Optional.of(sender.identity()),
        sender.protocol(),
        sender.peer(),
        topic,
        qos,
        retained,
        duplicate,
        text(properties, MqttPropertyType.CONTENT_TYPE),
        text(properties, MqttPropertyType.RESPONSE_TOPIC),
        property(properties, MqttPropertyType.CORRELATION_DATA) instanceof byte[] correlation
            ? correlation
            : new byte[0],
        expirySeconds(properties),
        userProperties(properties),
        body);
  }

  private static long expirySeconds(MqttProperties properties) {
    return property(properties, MqttPropertyType.PUBLICATION_EXPIRY_INTERVAL)
            instanceof Integer seconds
        ? Integer.toUnsignedLong(seconds)
        : Publication.NEVER;
  }

  private static List<Map.Entry<String, String>> userProperties(MqttProperties properties) {
    if (properties.isEmpty()) {
      return List.of();
    }
    return properties.getProperties(MqttPropertyType.USER_PROPERTY.value()).stream()
        .map(property -> (MqttProperties.StringPair) property.value())
        .map(pair -> Map.entry(pair.key, pair.value))
        .toList();
  }

  private static String text(MqttProperties properties, MqttPropertyType type) {
    return property(properties, type) instanceof String text ? text : "";
  }

  private static Object property(MqttProperties properties, MqttPropertyType type) {
    MqttProperties.MqttProperty<?> property = properties.getProperty(type.value());
    return property == null ? null : property.value();
  }
}
