package io.tinyfaas.manager.route;

import jakarta.enterprise.context.ApplicationScoped;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/** Until routes are published, which takes an engine that answers, no function can be deployed. */
@Readiness
@ApplicationScoped
class RoutesReadiness implements HealthCheck {

  private final RoutePublisher routes;

  RoutesReadiness(RoutePublisher routes) {
    this.routes = routes;
  }

  @Override
  public HealthCheckResponse call() {
    return HealthCheckResponse.named("routes").status(routes.isOpen()).build();
  }
}
