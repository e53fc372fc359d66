package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.handler.codec.mqtt.MqttMessage;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttSubAckMessage;
import io.netty.handler.codec.mqtt.MqttSubscribeMessage;
import io.netty.handler.codec.mqtt.MqttSubscribePayload;
import io.netty.handler.codec.mqtt.MqttTopicSubscription;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What one device asks to subscribe: filters that it may not have are not passed on to the broker,
 * whose answer gets their codes.
 */
final class Subscriptions {

  /** What becomes of a SUBSCRIBE. */
  sealed interface Decision {

    /**
     * This is passed on: never as it came, which the broker might read in another way.
     *
     * @param all whether nothing was left out
     */
    record Passed(MqttMessage subscribe, boolean all) implements Decision {}

    /** Nothing of it is passed on; this is the answer. */
    record Refused(MqttMessage subAck) implements Decision {}

    /** The connection has to end. */
    record TooMany() implements Decision {}
  }

  /** Of MQTT 3.1.1. */
  private static final int FAILURE = 0x80;

  /** In place of the code that the broker gives. */
  private static final int THE_BROKERS = -1;

  /** Of which some filters are refused, and that the broker has not answered. */
  private static final int MAX_OPEN = 32;

  private final TopicRights rights;
  private final Replies replies;
  private final Map<Integer, List<Integer>> open = new HashMap<>(0);

  Subscriptions(TopicRights rights, Replies replies) {
    this.rights = rights;
    this.replies = replies;
  }

  Decision decide(MqttSubscribeMessage subscribe) {
    List<MqttTopicSubscription> all = subscribe.payload().topicSubscriptions();
    List<MqttTopicSubscription> allowed = new ArrayList<>(all.size());
    List<Integer> codes = new ArrayList<>(all.size());
    for (MqttTopicSubscription each : all) {
      int code = code(each.topicFilter());
      codes.add(code);
      if (code == THE_BROKERS) {
        allowed.add(each);
      }
    }
    if (allowed.size() == all.size()) {
      return new Decision.Passed(subscribe, true);
    }
    int id = subscribe.variableHeader().messageId();
    if (allowed.isEmpty()) {
      return new Decision.Refused(replies.subAck(id, MqttProperties.NO_PROPERTIES, codes));
    }
    if (open.size() >= MAX_OPEN) {
      return new Decision.TooMany();
    }
    open.put(id, codes);
    return new Decision.Passed(
        new MqttSubscribeMessage(
            subscribe.fixedHeader(),
            subscribe.idAndPropertiesVariableHeader(),
            new MqttSubscribePayload(allowed)),
        false);
  }

  private int code(String filter) {
    if (!TopicRights.isFilter(filter)) {
      return replies.five() ? ReasonCode.TOPIC_FILTER_INVALID : FAILURE;
    }
    if (!rights.maySubscribe(filter)) {
      return replies.five() ? ReasonCode.NOT_AUTHORIZED : FAILURE;
    }
    return THE_BROKERS;
  }

  /** The broker's answer, with codes for what it did not get to see. */
  MqttMessage complete(MqttSubAckMessage subAck) {
    List<Integer> codes = open.remove(subAck.variableHeader().messageId());
    if (codes == null) {
      return subAck;
    }
    List<Integer> merged = new ArrayList<>(codes);
    int next = 0;
    for (int code : subAck.payload().reasonCodes()) {
      while (next < merged.size() && merged.get(next) != THE_BROKERS) {
        next++;
      }
      merged.set(next, code);
    }
    return replies.subAck(
        subAck.variableHeader().messageId(),
        subAck.idAndPropertiesVariableHeader().properties(),
        merged);
  }
}
