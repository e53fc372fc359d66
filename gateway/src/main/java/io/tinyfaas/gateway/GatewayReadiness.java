package io.tinyfaas.gateway;

import io.tinyfaas.contract.route.RouteRevision;
import io.tinyfaas.gateway.ingress.coap.CoapIngress;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.GatewayStatusPublisher;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/**
 * Ready to be deployed to: listening, connected to the broker, and routing by a table. Invocations
 * go on without the broker.
 */
@Readiness
@Singleton
final class GatewayReadiness implements HealthCheck {

  private final CoapIngress coap;
  private final GatewayStatusPublisher status;
  private final CurrentRoutes routes;

  GatewayReadiness(CoapIngress coap, GatewayStatusPublisher status, CurrentRoutes routes) {
    this.coap = coap;
    this.status = status;
    this.routes = routes;
  }

  @Override
  public HealthCheckResponse call() {
    RouteRevision revision = routes.revision();
    boolean routed = !revision.equals(RouteRevision.NONE);
    return HealthCheckResponse.named("gateway")
        .withData("coap", coap.isBound())
        .withData("broker", status.isConnected())
        .withData("revision", revision.toString())
        .status(coap.isBound() && status.isConnected() && routed)
        .build();
  }
}
