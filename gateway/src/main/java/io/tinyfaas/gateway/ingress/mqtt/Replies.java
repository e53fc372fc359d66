package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.handler.codec.mqtt.MqttConnAckMessage;
import io.netty.handler.codec.mqtt.MqttConnAckVariableHeader;
import io.netty.handler.codec.mqtt.MqttConnectReturnCode;
import io.netty.handler.codec.mqtt.MqttFixedHeader;
import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttMessageIdAndPropertiesVariableHeader;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;
import io.netty.handler.codec.mqtt.MqttPubReplyMessageVariableHeader;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.netty.handler.codec.mqtt.MqttReasonCodeAndPropertiesVariableHeader;
import io.netty.handler.codec.mqtt.MqttSubAckMessage;
import io.netty.handler.codec.mqtt.MqttSubAckPayload;
import java.util.List;

/**
 * What the gateway itself says to one device.
 *
 * @param five whether that speaks MQTT 5
 * @param explains whether it wants to have reasons with acknowledgements (MQTT 5, 3.1.2.11.7)
 */
record Replies(boolean five, boolean explains) {

  MqttConnAckMessage connAck(MqttConnectReturnCode code, boolean session, MqttProperties more) {
    return new MqttConnAckMessage(
        header(MqttMessageType.CONNACK, MqttQoS.AT_MOST_ONCE),
        new MqttConnAckVariableHeader(code, session, more));
  }

  /**
   * @param reasonCode of MQTT 5; earlier devices get what says it best
   */
  MqttConnAckMessage refusal(int reasonCode, String why) {
    if (five) {
      MqttProperties more = new MqttProperties();
      more.add(reason(why));
      return connAck(MqttConnectReturnCode.valueOf((byte) reasonCode), false, more);
    }
    MqttConnectReturnCode code =
        switch (reasonCode) {
          case ReasonCode.UNSUPPORTED_VERSION ->
              MqttConnectReturnCode.CONNECTION_REFUSED_UNACCEPTABLE_PROTOCOL_VERSION;
          case ReasonCode.CLIENT_IDENTIFIER_NOT_VALID ->
              MqttConnectReturnCode.CONNECTION_REFUSED_IDENTIFIER_REJECTED;
          case ReasonCode.BAD_USER_NAME_OR_PASSWORD, ReasonCode.NOT_AUTHORIZED ->
              MqttConnectReturnCode.CONNECTION_REFUSED_NOT_AUTHORIZED;
          default -> MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_UNAVAILABLE;
        };
    return connAck(code, false, MqttProperties.NO_PROPERTIES);
  }

  MqttMessage pubAck(int id) {
    return reply(MqttMessageType.PUBACK, id, ReasonCode.SUCCESS, "");
  }

  MqttMessage pubRec(int id) {
    return reply(MqttMessageType.PUBREC, id, ReasonCode.SUCCESS, "");
  }

  MqttMessage pubComp(int id) {
    return reply(MqttMessageType.PUBCOMP, id, ReasonCode.SUCCESS, "");
  }

  /** Of a message with QoS 1 or 2; only for MQTT 5. */
  MqttMessage notTaken(int id, int qos, int reasonCode, String why) {
    return reply(qos == 1 ? MqttMessageType.PUBACK : MqttMessageType.PUBREC, id, reasonCode, why);
  }

  private MqttMessage reply(MqttMessageType type, int id, int reasonCode, String why) {
    MqttProperties more = MqttProperties.NO_PROPERTIES;
    if (five && explains && !why.isEmpty()) {
      more = new MqttProperties();
      more.add(reason(why));
    }
    return new MqttMessage(
        header(type, MqttQoS.AT_MOST_ONCE),
        new MqttPubReplyMessageVariableHeader(id, (byte) reasonCode, more));
  }

  MqttMessage subAck(int id, MqttProperties properties, List<Integer> codes) {
    return new MqttSubAckMessage(
        header(MqttMessageType.SUBACK, MqttQoS.AT_MOST_ONCE),
        new MqttMessageIdAndPropertiesVariableHeader(id, properties),
        new MqttSubAckPayload(codes));
  }

  /** Only for MQTT 5. */
  MqttMessage disconnect(BrokenRule rule) {
    MqttProperties more = new MqttProperties();
    more.add(reason(rule.why()));
    return new MqttMessage(
        header(MqttMessageType.DISCONNECT, MqttQoS.AT_MOST_ONCE),
        new MqttReasonCodeAndPropertiesVariableHeader((byte) rule.reasonCode(), more));
  }

  private static MqttProperties.StringProperty reason(String why) {
    return new MqttProperties.StringProperty(MqttPropertyType.REASON_STRING.value(), why);
  }

  private static MqttFixedHeader header(MqttMessageType type, MqttQoS qos) {
    return new MqttFixedHeader(type, false, qos, false, 0);
  }
}
