package io.tinyfaas.gateway.route;

import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Quarkus;
import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.control.RouteTable;
import io.vertx.core.Vertx;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.util.Arrays;
import org.jboss.logging.Logger;

/**
 * Route tables as they come from the broker, in their order. Whatever a message holds, the next one
 * is read.
 */
@Singleton
public final class RouteSubscriber {

  private static final Logger LOG = Logger.getLogger(RouteSubscriber.class);

  private final Vertx vertx;
  private final CurrentRoutes routes;
  private final SocketsFolder sockets;
  private final MeterRegistry meters;

  /** Of the last message that was refused: it comes again with each connect. */
  private int refusedHash;

  RouteSubscriber(Vertx vertx, CurrentRoutes routes, SocketsFolder sockets, MeterRegistry meters) {
    this.vertx = vertx;
    this.routes = routes;
    this.sockets = sockets;
    this.meters = meters;
  }

  /** Called on an event loop; a large table takes a while, so it is read on a worker thread. */
  public void receive(byte[] message) {
    vertx.executeBlocking(
        () -> {
          read(message);
          return null;
        },
        true);
  }

  private synchronized void read(byte[] message) {
    try {
      RouteTable table = ControlMessages.decodeRouteTable(message);
      boolean applied = routes.apply(table);
      boolean known = !applied && table.revision().equals(routes.revision());
      count(applied ? "applied" : known ? "known" : "stale");
      if (applied) {
        requireSockets(table);
        LOG.infof(
            "event=routes-applied revision=%s functions=%d handlers=%d",
            table.revision(),
            table.routes().size(),
            table.routes().stream().mapToInt(route -> route.handlers().size()).sum());
      } else if (!known) {
        refuse(message, "revision " + table.revision() + " is older than " + routes.revision());
      }
    } catch (IOException | RuntimeException e) {
      count("invalid");
      refuse(message, String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
    }
  }

  /** Else handlers that start from now on would not be reached. */
  private void requireSockets(RouteTable table) {
    if (sockets.isNotThatOf(table)) {
      LOG.error(
          "event=sockets-lost outcome=exit reason=\"the engine mounts the manager's volume when it"
              + " starts this container anew\"");
      Quarkus.asyncExit(1);
    }
  }

  private void refuse(byte[] message, String reason) {
    int hash = Arrays.hashCode(message);
    if (hash != refusedHash) {
      refusedHash = hash;
      LOG.warnf("event=routes-refused bytes=%d reason=\"%s\"", message.length, reason);
    }
  }

  private void count(String outcome) {
    meters.counter("tinyfaas.route.tables", "outcome", outcome).increment();
  }
}
