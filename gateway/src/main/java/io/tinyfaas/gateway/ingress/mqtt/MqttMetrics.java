package io.tinyfaas.gateway.ingress.mqtt;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.inject.Singleton;
import java.util.concurrent.atomic.AtomicInteger;

/** What devices do by MQTT, in numbers. */
@Singleton
final class MqttMetrics {

  private final AtomicInteger connections = new AtomicInteger();
  private final Counter refusedLogins;
  private final Counter requests;
  private final Counter passed;
  private final Counter notTaken;
  private final Counter notAllowed;
  private final Counter sent;

  MqttMetrics(MeterRegistry registry) {
    registry.gauge("tinyfaas.mqtt.connections", connections);
    refusedLogins = registry.counter("tinyfaas.mqtt.logins.refused");
    requests = received(registry, "request");
    passed = received(registry, "passed");
    notTaken = received(registry, "not-taken");
    notAllowed = received(registry, "not-allowed");
    sent = registry.counter("tinyfaas.mqtt.messages.sent");
  }

  private static Counter received(MeterRegistry registry, String outcome) {
    return registry.counter("tinyfaas.mqtt.messages.received", "outcome", outcome);
  }

  /** Of devices that have logged in. */
  void connections(int open) {
    connections.set(open);
  }

  void refusedLogin() {
    refusedLogins.increment();
  }

  /** A message was a request, which the gateway has taken. */
  void request() {
    requests.increment();
  }

  /** A message was passed on to the broker. */
  void passed() {
    passed.increment();
  }

  /** A message was for a function that did not take it. */
  void notTaken() {
    notTaken.increment();
  }

  /** A device published or subscribed what it may not. */
  void notAllowed() {
    notAllowed.increment();
  }

  /** A message goes to a device. */
  void sent() {
    sent.increment();
  }
}
