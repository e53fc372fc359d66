package io.tinyfaas.gateway.ingress.mqtt;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.handler.codec.mqtt.MqttConnectMessage;
import io.netty.handler.codec.mqtt.MqttConnectPayload;
import io.netty.handler.codec.mqtt.MqttConnectVariableHeader;
import io.netty.handler.codec.mqtt.MqttMessageBuilders;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttProperties.IntegerProperty;
import io.netty.handler.codec.mqtt.MqttProperties.MqttProperty;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;
import io.netty.handler.codec.mqtt.MqttProperties.StringProperty;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttVersion;
import io.tinyfaas.contract.mqtt.TopicFilter;
import io.tinyfaas.gateway.device.DeviceIdentity;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** What a device asks for when it logs in, and what the broker and the device get to see of it. */
final class Login {

  private static final int MAX_CLIENT_IDENTIFIER = 256;
  private static final int REGISTRATION_BYTES = 6;

  /** What the gateway says to the device in the broker's place. */
  private static final Set<MqttPropertyType> THE_GATEWAYS =
      Set.of(
          MqttPropertyType.SERVER_KEEP_ALIVE,
          MqttPropertyType.ASSIGNED_CLIENT_IDENTIFIER,
          MqttPropertyType.MAXIMUM_PACKET_SIZE,
          MqttPropertyType.TOPIC_ALIAS_MAXIMUM);

  private final MqttConnectVariableHeader header;
  private final MqttConnectPayload payload;
  private final boolean five;
  private final String clientIdentifier;

  Login(MqttConnectMessage connect) {
    header = connect.variableHeader();
    payload = connect.payload();
    five = header.version() == MqttVersion.MQTT_5.protocolLevel();
    String own = payload.clientIdentifier();
    clientIdentifier = own.isEmpty() ? "auto-" + UUID.randomUUID() : own;
  }

  /** Of 3.1 and what was before it nothing is known here. */
  boolean isSpoken() {
    return five || header.version() == MqttVersion.MQTT_3_1_1.protocolLevel();
  }

  Replies replies() {
    MqttProperty<?> wanted = property(MqttPropertyType.REQUEST_PROBLEM_INFORMATION);
    return new Replies(five, wanted == null || !wanted.value().equals(0));
  }

  boolean hasAuthenticationMethod() {
    return property(MqttPropertyType.AUTHENTICATION_METHOD) != null;
  }

  /** For logs; empty if there is none. */
  String userName() {
    return payload.userName() == null ? "" : payload.userName();
  }

  /** Why a device that has proved who it is does not get in all the same. */
  Optional<BrokenRule> problem(DeviceIdentity device) {
    String own = payload.clientIdentifier();
    if (own.length() > MAX_CLIENT_IDENTIFIER || own.chars().anyMatch(Character::isISOControl)) {
      return broken(
          ReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
          "a client identifier has at most "
              + MAX_CLIENT_IDENTIFIER
              + " characters, and no control characters");
    }
    if (own.isEmpty() && !five && !header.isCleanSession()) {
      return broken(
          ReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
          "a session that is to last has a client identifier");
    }
    if (!hasWill()) {
      return Optional.empty();
    }
    if (!TopicFilter.isTopic(willTopic())) {
      return broken(ReasonCode.TOPIC_NAME_INVALID, "a topic has " + TopicFilter.RULE);
    }
    return TopicRights.of(device).mayPublish(willTopic())
        ? Optional.empty()
        : broken(ReasonCode.NOT_AUTHORIZED, "the device may not publish to the topic of its will");
  }

  private static Optional<BrokenRule> broken(int reasonCode, String why) {
    return Optional.of(new BrokenRule(reasonCode, why));
  }

  boolean hasWill() {
    return header.isWillFlag();
  }

  String willTopic() {
    return payload.willTopic();
  }

  /** For functions. */
  Will will(Sender sender) {
    if (!hasWill()) {
      return Will.NONE;
    }
    return new Will(
        Optional.of(
            Received.publication(
                sender,
                willTopic(),
                header.willQos(),
                header.isWillRetain(),
                false,
                payload.willProperties(),
                payload.willMessageInBytes())));
  }

  Duration keepAlive(Duration max) {
    int asked = header.keepAliveTimeSeconds();
    return asked == 0 || asked > max.toSeconds() ? max : Duration.ofSeconds(asked);
  }

  /**
   * Without the key, and in the name of the device and its registration: so nobody has the session
   * of another one, nor what a device could see that was registered differently before. The keep
   * alive time is the gateway's affair, which sees more of the device.
   *
   * @param withoutWill where that is a request
   */
  MqttConnectMessage forBroker(DeviceIdentity device, boolean withoutWill) {
    boolean will = hasWill() && !withoutWill;
    MqttMessageBuilders.ConnectBuilder connect =
        MqttMessageBuilders.connect()
            .protocolVersion(five ? MqttVersion.MQTT_5 : MqttVersion.MQTT_3_1_1)
            .clientId(sessionName(device))
            .cleanSession(header.isCleanSession())
            .keepAlive(0)
            .properties(header.properties())
            .willFlag(will);
    if (will) {
      connect
          .willTopic(willTopic())
          .willMessage(payload.willMessageInBytes())
          .willRetain(header.isWillRetain())
          .willQoS(MqttQoS.valueOf(header.willQos()))
          .willProperties(payload.willProperties());
    }
    return connect.build();
  }

  private String sessionName(DeviceIdentity device) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(device.device().toString().getBytes(UTF_8));
      return device.name()
          + '/'
          + HexFormat.of().formatHex(digest, 0, REGISTRATION_BYTES)
          + '/'
          + clientIdentifier;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("each Java has it", e);
    }
  }

  /**
   * Of the broker's CONNACK.
   *
   * @param maxPacket in bytes
   */
  MqttProperties forDevice(MqttProperties brokers, Duration maxKeepAlive, int maxPacket) {
    if (!five) {
      return MqttProperties.NO_PROPERTIES;
    }
    MqttProperties all = new MqttProperties();
    for (MqttProperty<?> each : brokers.listAll()) {
      if (!THE_GATEWAYS.contains(MqttPropertyType.valueOf(each.propertyId()))) {
        all.add(each);
      }
    }
    all.add(new IntegerProperty(MqttPropertyType.MAXIMUM_PACKET_SIZE.value(), maxPacket));
    if (payload.clientIdentifier().isEmpty()) {
      all.add(
          new StringProperty(
              MqttPropertyType.ASSIGNED_CLIENT_IDENTIFIER.value(), clientIdentifier));
    }
    int keepAlive = Math.toIntExact(keepAlive(maxKeepAlive).toSeconds());
    if (keepAlive != header.keepAliveTimeSeconds()) {
      all.add(new IntegerProperty(MqttPropertyType.SERVER_KEEP_ALIVE.value(), keepAlive));
    }
    return all;
  }

  private MqttProperty<?> property(MqttPropertyType type) {
    return header.properties().getProperty(type.value());
  }
}
