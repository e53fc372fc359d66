package io.tinyfaas.gateway.ingress.mqtt;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.handler.codec.mqtt.MqttFixedHeader;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttMessageIdVariableHeader;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttProperties.BinaryProperty;
import io.netty.handler.codec.mqtt.MqttProperties.IntegerProperty;
import io.netty.handler.codec.mqtt.MqttProperties.MqttProperty;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;
import io.netty.handler.codec.mqtt.MqttProperties.StringPair;
import io.netty.handler.codec.mqtt.MqttProperties.StringProperty;
import io.netty.handler.codec.mqtt.MqttProperties.UserProperty;
import io.netty.handler.codec.mqtt.MqttPubReplyMessageVariableHeader;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttReasonCodeAndPropertiesVariableHeader;
import io.netty.handler.codec.mqtt.MqttSubscriptionOption;
import io.netty.handler.codec.mqtt.MqttSubscriptionOption.RetainedHandlingPolicy;
import io.netty.handler.codec.mqtt.MqttVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Packets to an external broker, and what properties of its own say, in either version. */
final class ExternalPackets {

  /** How many messages the broker sends before the first of them is acknowledged. */
  static final int RECEIVE_MAXIMUM = 16;

  /** What the broker keeps while the gateway is away, after which it forgets; a week. */
  private static final int SESSION_EXPIRY_SECONDS = 7 * 24 * 3_600;

  private final boolean five;

  ExternalPackets(MqttVersion version) {
    this.five = version == MqttVersion.MQTT_5;
  }

  boolean isFive() {
    return five;
  }

  /**
   * @param maxPacket in bytes, of what the broker may send
   */
  MqttMessage connect(
      String clientId, Optional<String> user, String password, int keepAlive, int maxPacket) {
    MqttProperties properties = new MqttProperties();
    properties.add(number(MqttPropertyType.SESSION_EXPIRY_INTERVAL, SESSION_EXPIRY_SECONDS));
    properties.add(number(MqttPropertyType.RECEIVE_MAXIMUM, RECEIVE_MAXIMUM));
    properties.add(number(MqttPropertyType.MAXIMUM_PACKET_SIZE, maxPacket));
    return MqttMessageBuilders.connect()
        .protocolVersion(five ? MqttVersion.MQTT_5 : MqttVersion.MQTT_3_1_1)
        .clientId(clientId)
        .cleanSession(false)
        .keepAlive(keepAlive)
        .properties(five ? properties : MqttProperties.NO_PROPERTIES)
        .hasUser(user.isPresent())
        .username(user.orElse(null))
        .hasPassword(user.isPresent() && !password.isEmpty())
        .password(password.getBytes(UTF_8))
        .build();
  }

  /**
   * What was retained comes with the first subscription only, and what the gateway publishes itself
   * does not come back; by MQTT 3.1.1 neither can be asked for.
   *
   * @param identifier by which messages tell that they come by this subscription; 0 for none
   */
  MqttMessage subscribe(int packetId, String filter, int qos, int identifier) {
    if (!five) {
      return MqttMessageBuilders.subscribe()
          .messageId(packetId)
          .addSubscription(MqttQoS.valueOf(qos), filter)
          .build();
    }
    MqttProperties properties = new MqttProperties();
    if (identifier > 0) {
      properties.add(number(MqttPropertyType.SUBSCRIPTION_IDENTIFIER, identifier));
    }
    boolean shared = filter.startsWith("$share/");
    return MqttMessageBuilders.subscribe()
        .messageId(packetId)
        .properties(properties)
        .addSubscription(
            filter,
            new MqttSubscriptionOption(
                MqttQoS.valueOf(qos),
                !shared, // not allowed of shared ones (3.8.3.1)
                false,
                RetainedHandlingPolicy.SEND_AT_SUBSCRIBE_IF_NOT_YET_EXISTS))
        .build();
  }

  MqttMessage unsubscribe(int packetId, String filter) {
    return MqttMessageBuilders.unsubscribe().messageId(packetId).addTopicFilter(filter).build();
  }

  /**
   * @param reasonCode by MQTT 3.1.1 nobody hears it
   */
  MqttMessage reply(MqttMessageType type, int packetId, int reasonCode) {
    MqttQoS qos = type == MqttMessageType.PUBREL ? MqttQoS.AT_LEAST_ONCE : MqttQoS.AT_MOST_ONCE;
    MqttFixedHeader header = new MqttFixedHeader(type, false, qos, false, 0);
    return new MqttMessage(
        header,
        five && reasonCode != 0
            ? new MqttPubReplyMessageVariableHeader(
                packetId, (byte) reasonCode, MqttProperties.NO_PROPERTIES)
            : MqttMessageIdVariableHeader.from(packetId));
  }

  MqttMessage disconnect() {
    MqttFixedHeader header =
        new MqttFixedHeader(MqttMessageType.DISCONNECT, false, MqttQoS.AT_MOST_ONCE, false, 0);
    return five
        ? new MqttMessage(
            header,
            new MqttReasonCodeAndPropertiesVariableHeader((byte) 0, MqttProperties.NO_PROPERTIES))
        : new MqttMessage(header);
  }

  private static IntegerProperty number(MqttPropertyType type, int value) {
    return new IntegerProperty(type.value(), value);
  }

  static Optional<Integer> number(MqttProperties properties, MqttPropertyType type) {
    return properties.getProperty(type.value()) instanceof IntegerProperty property
        ? Optional.of(property.value())
        : Optional.empty();
  }

  /** The subscriptions by which a message comes; none if the broker does not say. */
  static Set<Integer> identifiers(MqttProperties properties) {
    return properties.getProperties(MqttPropertyType.SUBSCRIPTION_IDENTIFIER.value()).stream()
        .map(each -> ((IntegerProperty) each).value())
        .collect(Collectors.toSet());
  }

  static String text(MqttProperties properties, MqttPropertyType type) {
    return properties.getProperty(type.value()) instanceof StringProperty property
        ? property.value()
        : "";
  }

  static byte[] bytes(MqttProperties properties, MqttPropertyType type) {
    return properties.getProperty(type.value()) instanceof BinaryProperty property
        ? property.value()
        : new byte[0];
  }

  static List<Map.Entry<String, String>> userProperties(MqttProperties properties) {
    List<Map.Entry<String, String>> all = new ArrayList<>();
    for (MqttProperty<?> each : properties.getProperties(MqttPropertyType.USER_PROPERTY.value())) {
      if (each instanceof UserProperty property) {
        StringPair pair = property.value();
        all.add(Map.entry(pair.key, pair.value));
      }
    }
    return all;
  }
}
