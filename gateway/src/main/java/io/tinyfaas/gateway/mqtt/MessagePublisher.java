package io.tinyfaas.gateway.mqtt;

import io.vertx.core.Future;

/** Publishes at the devices' broker. */
public interface MessagePublisher {

  /** Whether there is such a broker in this installation. */
  boolean isEnabled();

  /** Whether the broker is connected. */
  boolean isConnected();

  /**
   * On the invocation loop.
   *
   * @return completes once the broker has it (QoS 1), or it is sent (QoS 0); fails if the broker is
   *     away or too much is on its way to it
   */
  Future<Void> publish(Message message);

  /** Runs on the invocation loop each time that the broker is connected anew. */
  void onConnected(Runnable listener);
}
