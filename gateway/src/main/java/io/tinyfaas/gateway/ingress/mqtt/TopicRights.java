package io.tinyfaas.gateway.ingress.mqtt;

import io.tinyfaas.contract.mqtt.TopicFilter;
import io.tinyfaas.gateway.device.DeviceIdentity;

/** What a device may publish and subscribe. */
public final class TopicRights {

  private final TopicFilter own;

  private TopicRights(TopicFilter own) {
    this.own = own;
  }

  public static TopicRights of(DeviceIdentity device) {
    return new TopicRights(new TopicFilter("devices/" + device.name() + "/#"));
  }

  public boolean mayPublish(String topic) {
    return own.matches(topic);
  }

  public boolean mayReceive(String topic) {
    return own.matches(topic);
  }
}
