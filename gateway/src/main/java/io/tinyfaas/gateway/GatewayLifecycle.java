package io.tinyfaas.gateway;

import io.quarkus.arc.All;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.control.GatewayStatusPublisher;
import io.tinyfaas.gateway.ingress.Ingress;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.schedule.Schedules;
import io.vertx.core.Vertx;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/** The order in which the gateway comes up and goes down. */
@Singleton
final class GatewayLifecycle {

  private static final Logger LOG = Logger.getLogger(GatewayLifecycle.class);
  private static final long IDLE_CHECK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final Duration LAST_ANSWERS = Duration.ofMillis(500);
  private static final Duration FAREWELL = Duration.ofSeconds(1);

  private final GatewaySettings settings;
  private final Vertx vertx;
  private final List<Ingress> ingresses;
  private final Invoker invoker;
  private final Calls calls;
  private final Schedules schedules;
  private final GatewayStatusPublisher status;

  GatewayLifecycle(
      GatewaySettings settings,
      Vertx vertx,
      @All List<Ingress> ingresses,
      Invoker invoker,
      Calls calls,
      Schedules schedules,
      GatewayStatusPublisher status) {
    this.settings = settings;
    this.vertx = vertx;
    this.ingresses = ingresses.stream().sorted(Comparator.comparing(Ingress::protocol)).toList();
    this.invoker = invoker;
    this.calls = calls;
    this.schedules = schedules;
    this.status = status;
  }

  void start(@Observes StartupEvent event) {
    requireNativeTransport();
    calls.start();
    schedules.start();
    status.start();
    listen();
    LOG.infof(
        "event=started %s",
        ingresses.stream().map(GatewayLifecycle::port).collect(Collectors.joining(" ")));
  }

  private void listen() {
    try {
      enabled().forEach(Ingress::start);
    } catch (UncheckedIOException e) {
      // Of this one Quarkus prints the message alone: among stack traces nobody would find it.
      throw new ConfigurationException(e.getMessage());
    }
  }

  private List<Ingress> enabled() {
    return ingresses.stream().filter(Ingress::isEnabled).toList();
  }

  private static String port(Ingress ingress) {
    String label = ingress.protocol().label() + '=';
    if (!ingress.isEnabled()) {
      return label + "off";
    }
    return label + (ingress.port() == Ingress.NO_PORT ? "on" : ingress.port());
  }

  /**
   * The manager hears of it last: until then it must not stop a handler that is still answering.
   */
  void stop(@Observes ShutdownEvent event) {
    enabled().forEach(Ingress::refuseNew);
    schedules.stop();
    calls.stop();
    await(settings.stopTimeout());
    int left = unfinished();
    if (left > 0) {
      invoker.stop();
      await(LAST_ANSWERS);
    }
    calls.close();
    status
        .stop()
        .toCompletionStage()
        .toCompletableFuture()
        .completeOnTimeout(null, FAREWELL.toMillis(), TimeUnit.MILLISECONDS)
        .exceptionallyCompose(unheard -> CompletableFuture.completedFuture(null))
        .join();
    enabled().forEach(Ingress::stop);
    LOG.infof("event=stopped unfinished=%d", left);
  }

  /** Until nothing is unfinished, but no longer than this. */
  private void await(Duration longest) {
    long end = System.nanoTime() + longest.toNanos();
    while (unfinished() > 0 && System.nanoTime() - end < 0) {
      LockSupport.parkNanos(IDLE_CHECK_NANOS);
    }
  }

  private int unfinished() {
    return invoker.inFlight()
        + calls.accepting()
        + enabled().stream().mapToInt(Ingress::waiting).sum();
  }

  private void requireNativeTransport() {
    if (!vertx.isNativeTransportEnabled()) {
      throw new IllegalStateException(
          "Netty's epoll library does not load, without which no Unix socket is reached: its file"
              + " belongs into a folder for libraries such as /usr/lib, or /tmp has to be mounted"
              + " with exec");
    }
  }
}
