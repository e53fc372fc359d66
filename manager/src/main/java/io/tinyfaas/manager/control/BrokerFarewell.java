package io.tinyfaas.manager.control;

import io.quarkus.runtime.ShutdownEvent;
import io.smallrye.reactive.messaging.mqtt.Clients;
import io.smallrye.reactive.messaging.mqtt.MqttConnector;
import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import jakarta.interceptor.Interceptor;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.eclipse.microprofile.reactive.messaging.spi.Connector;

/**
 * Ends the connections to the broker while there is a Vert.x. SmallRye's connector only begins to
 * when everything goes: a connection that is then still open is closed by Vert.x when its other
 * loops have ended, and logs a stack trace for each that it has to tell.
 */
@Singleton
class BrokerFarewell {

  private static final Duration FAREWELL = Duration.ofSeconds(1);
  private static final long CHECK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final MqttConnector connector;

  BrokerFarewell(@Connector("smallrye-mqtt") MqttConnector connector) {
    this.connector = connector;
  }

  /** After all that publishes. */
  void stop(@Observes @Priority(Interceptor.Priority.LIBRARY_AFTER) ShutdownEvent event) {
    Clients.clear();
    long end = System.nanoTime() + FAREWELL.toNanos();
    while (isAnyConnected() && System.nanoTime() < end) {
      LockSupport.parkNanos(CHECK_NANOS);
    }
  }

  private boolean isAnyConnected() {
    return connector.getReadiness().getChannels().stream().anyMatch(channel -> channel.isOk());
  }
}
