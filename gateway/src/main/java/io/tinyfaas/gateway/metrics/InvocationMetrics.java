package io.tinyfaas.gateway.metrics;

import io.micrometer.core.instrument.MeterRegistry;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import jakarta.inject.Singleton;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Counts invocations by function, protocol and outcome, and measures how long they take. Only
 * functions of the current table become label values, and a function's meters go with it: what a
 * device writes into a path never grows the metrics. Not Micrometer's, whose meters of a thousand
 * functions take ten megabytes.
 */
@Singleton
public final class InvocationMetrics implements RouteListener {

  /** The function of what is no invocation of one. */
  private static final String NO_FUNCTION = "";

  private final CurrentRoutes routes;
  private final Map<String, Map<Protocol, Meters>> functions = new ConcurrentHashMap<>();

  InvocationMetrics(MeterRegistry registry, CurrentRoutes routes) {
    this.routes = routes;
    registry.gauge("tinyfaas.route.revision", routes, r -> r.revision().number());
    registry.gauge("tinyfaas.route.epoch", routes, r -> r.revision().epoch());
    routes.addListener(this);
  }

  /** A request that names no function of ours. */
  public void refused(Protocol protocol, String outcome) {
    meters(NO_FUNCTION, protocol).count(outcome);
  }

  /** A request for a function of the current table that did not become an invocation of it. */
  public void refused(String function, Protocol protocol, String outcome) {
    meters(function, protocol).count(outcome);
  }

  /**
   * @param began as {@link System#nanoTime}
   */
  public void finished(String function, Protocol protocol, String outcome, long began) {
    long now = System.nanoTime();
    Meters meters = meters(function, protocol);
    meters.count(outcome);
    meters.time(now - began, now);
    if (routes.find(function).isEmpty()) {
      onFunctionRemoved(function); // it left while it was running
    }
  }

  @Override
  public void onFunctionRemoved(String function) {
    functions.remove(function);
  }

  /** By function and protocol, as they are now. */
  Map<String, Map<Protocol, Meters>> all() {
    return functions;
  }

  private Meters meters(String function, Protocol protocol) {
    Map<Protocol, Meters> its = functions.get(function);
    Meters meters = its == null ? null : its.get(protocol);
    return meters != null ? meters : add(function, protocol);
  }

  /** In another map, as somebody may be reading the one there is. */
  private Meters add(String function, Protocol protocol) {
    return functions
        .compute(
            function,
            (_, its) -> {
              Map<Protocol, Meters> more = new EnumMap<>(Protocol.class);
              if (its != null) {
                more.putAll(its);
              }
              more.computeIfAbsent(protocol, _ -> new Meters());
              return more;
            })
        .get(protocol);
  }
}
