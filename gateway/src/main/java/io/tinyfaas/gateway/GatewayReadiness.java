package io.tinyfaas.gateway;

import io.quarkus.arc.All;
import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.gateway.control.GatewayStatusPublisher;
import io.tinyfaas.gateway.ingress.Ingress;
import io.tinyfaas.gateway.ingress.mqtt.ExternalBroker;
import io.tinyfaas.gateway.mqtt.MessagePublisher;
import io.tinyfaas.gateway.route.CurrentRoutes;
import jakarta.inject.Singleton;
import java.util.List;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

/**
 * Ready to be deployed to: listening, connected to the broker, and routing by a table. Invocations
 * go on without the broker, all but MQTT without the devices' broker, and all but the triggers that
 * name it without an external one.
 */
@Readiness
@Singleton
final class GatewayReadiness implements HealthCheck {

  private final List<Ingress> ingresses;
  private final GatewayStatusPublisher status;
  private final CurrentRoutes routes;
  private final ExternalBroker external;
  private final MessagePublisher devices;

  GatewayReadiness(
      @All List<Ingress> ingresses,
      GatewayStatusPublisher status,
      CurrentRoutes routes,
      MessagePublisher devices,
      ExternalBroker external) {
    this.ingresses = ingresses;
    this.status = status;
    this.routes = routes;
    this.devices = devices;
    this.external = external;
  }

  @Override
  public HealthCheckResponse call() {
    Revision revision = routes.revision();
    HealthCheckResponseBuilder response = HealthCheckResponse.named("gateway");
    boolean listening = true;
    for (Ingress ingress : ingresses) {
      response.withData(ingress.protocol().label(), ingress.isBound());
      listening &= ingress.isBound() || !ingress.isEnabled();
    }
    return response
        .withData("broker", status.isConnected())
        .withData("external-broker", external.state())
        .withData("device-broker", devices.isConnected())
        .withData("revision", revision.toString())
        .status(listening && status.isConnected() && routes.areKnown())
        .build();
  }
}
