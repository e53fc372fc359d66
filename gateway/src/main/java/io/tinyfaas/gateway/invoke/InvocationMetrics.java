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

  private record Key(Protocol protocol, String outcome) {}

  private final class FunctionMeters {
    private final String function;
    private final Map<Key, Counter> counters = new ConcurrentHashMap<>();
    private final Map<Protocol, Timer> timers = new ConcurrentHashMap<>();

    FunctionMeters(String function) {
      this.function = function;
    }

    void count(Protocol protocol, String outcome) {
      counters.computeIfAbsent(new Key(protocol, outcome), this::counter).increment();
    }

    void time(Protocol protocol, long nanos) {
      timers.computeIfAbsent(protocol, this::timer).record(nanos, TimeUnit.NANOSECONDS);
    }

    private Counter counter(Key key) {
      return Counter.builder("tinyfaas.invocations")
          .description("Invocations by function, protocol and outcome")
          .tag("function", function)
          .tag("protocol", key.protocol().label())
          .tag("outcome", key.outcome())
          .register(registry);
    }

    private Timer timer(Protocol protocol) {
      return Timer.builder("tinyfaas.invocation")
          .description("From the request at the gateway to the result")
          .tag("function", function)
          .tag("protocol", protocol.label())
          .serviceLevelObjectives(BUCKETS)
          .register(registry);
    }

    void remove() {
      counters.values().forEach(registry::remove);
      timers.values().forEach(registry::remove);
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
    meters(NO_FUNCTION).count(protocol, outcome);
  }

  /** A request for a function of the current table that did not become an invocation of it. */
  void refused(String function, Protocol protocol, String outcome) {
    meters(function).count(protocol, outcome);
  }

  void finished(String function, Protocol protocol, String outcome, long nanos) {
    FunctionMeters meters = meters(function);
    meters.count(protocol, outcome);
    meters.time(protocol, nanos);
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
