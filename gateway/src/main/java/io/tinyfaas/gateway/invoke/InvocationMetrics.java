package io.tinyfaas.gateway.invoke;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;

/**
 * Counts invocations by function, protocol and outcome, and measures how long they take. Only
 * functions of the current table become label values, and a function's meters go with it: what a
 * device writes into a path never grows the metrics.
 */
@Singleton
public final class InvocationMetrics implements RouteListener {

  /** The function of what is no invocation of one. */
  private static final String NO_FUNCTION = "";

  private static final Duration[] BUCKETS =
      LongStream.of(1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 30_000)
          .mapToObj(Duration::ofMillis)
          .toArray(Duration[]::new);

  private final class FunctionMeters {
    private final String function;
    private final Map<Protocol, ProtocolMeters> protocols = new ConcurrentHashMap<>();

    FunctionMeters(String function) {
      this.function = function;
    }

    ProtocolMeters of(Protocol protocol) {
      ProtocolMeters meters = protocols.get(protocol);
      return meters != null
          ? meters
          : protocols.computeIfAbsent(protocol, p -> new ProtocolMeters(function, p));
    }

    void remove() {
      protocols.values().forEach(ProtocolMeters::remove);
    }
  }

  private final class ProtocolMeters {
    private final String function;
    private final Protocol protocol;
    private final Map<String, Counter> counters = new ConcurrentHashMap<>();
    private volatile Timer timer;

    ProtocolMeters(String function, Protocol protocol) {
      this.function = function;
      this.protocol = protocol;
    }

    void count(String outcome) {
      Counter counter = counters.get(outcome);
      (counter != null ? counter : counters.computeIfAbsent(outcome, this::counter)).increment();
    }

    void time(long nanos) {
      if (timer == null) {
        timer = timer(); // which the registry makes only once
      }
      timer.record(nanos, TimeUnit.NANOSECONDS);
    }

    private Counter counter(String outcome) {
      return Counter.builder("tinyfaas.invocations")
          .description("Invocations by function, protocol and outcome")
          .tag("function", function)
          .tag("protocol", protocol.label())
          .tag("outcome", outcome)
          .register(registry);
    }

    private Timer timer() {
      return Timer.builder("tinyfaas.invocation")
          .description("From the request at the gateway to the result")
          .tag("function", function)
          .tag("protocol", protocol.label())
          .serviceLevelObjectives(BUCKETS)
          .register(registry);
    }

    void remove() {
      counters.values().forEach(registry::remove);
      if (timer != null) {
        registry.remove(timer);
      }
    }
  }

  private final MeterRegistry registry;
  private final CurrentRoutes routes;
  private final Map<String, FunctionMeters> functions = new ConcurrentHashMap<>();

  InvocationMetrics(MeterRegistry registry, CurrentRoutes routes) {
    this.registry = registry;
    this.routes = routes;
    registry.gauge("tinyfaas.route.revision", routes, r -> r.revision().number());
    registry.gauge("tinyfaas.route.epoch", routes, r -> r.revision().epoch());
    routes.addListener(this);
  }

  void inFlight(AtomicInteger count) {
    registry.gauge("tinyfaas.in.flight", count);
  }

  /** A request that names no function of ours. */
  public void refused(Protocol protocol, String outcome) {
    meters(NO_FUNCTION).of(protocol).count(outcome);
  }

  /** A request for a function of the current table that did not become an invocation of it. */
  void refused(String function, Protocol protocol, String outcome) {
    meters(function).of(protocol).count(outcome);
  }

  void finished(String function, Protocol protocol, String outcome, long nanos) {
    ProtocolMeters meters = meters(function).of(protocol);
    meters.count(outcome);
    meters.time(nanos);
    if (routes.find(function).isEmpty()) {
      onFunctionRemoved(function); // it left while it was running
    }
  }

  @Override
  public void onFunctionRemoved(String function) {
    FunctionMeters meters = functions.remove(function);
    if (meters != null) {
      meters.remove();
    }
  }

  private FunctionMeters meters(String function) {
    return functions.computeIfAbsent(function, FunctionMeters::new);
  }
}
