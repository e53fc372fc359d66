package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.util.collection.IntObjectHashMap;

/** Identifiers of messages with QoS 2 that the gateway has taken and the device not released. */
final class ConsumedIds {

  private static final int MAX = 256;

  private final IntObjectHashMap<Boolean> ids = new IntObjectHashMap<>(2);

  boolean has(int id) {
    return ids.containsKey(id);
  }

  /**
   * @return false if there are too many
   */
  boolean add(int id) {
    if (ids.size() >= MAX) {
      return false;
    }
    ids.put(id, Boolean.TRUE);
    return true;
  }

  /** Whether it was there. */
  boolean remove(int id) {
    return ids.remove(id) != null;
  }
}
