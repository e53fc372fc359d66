package io.tinyfaas.manager.route;

import io.quarkus.runtime.ShutdownEvent;
import io.smallrye.reactive.messaging.annotations.Blocking;
import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.control.ControlTopics;
import io.tinyfaas.contract.control.GatewayStatus;
import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.control.RouteTable;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.manager.control.ConfirmedTable;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.store.EpochFile;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongConsumer;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;
import org.jboss.logging.Logger;

/**
 * The routes as the gateway is to have them, a {@link ConfirmedTable}, and what the gateway says it
 * has.
 */
@ApplicationScoped
public class RoutePublisher {

  private static final Logger LOG = Logger.getLogger(RoutePublisher.class);

  /** The broker answers on the same box within a millisecond, if it is there. */
  private static final Duration BROKER_TIMEOUT = Duration.ofSeconds(3);

  /** Of one function. */
  private static final int HANDLERS_BYTES = 64 * 1_024;

  private final ConfirmedTable table;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

  /** Guarded by {@link #table}, as is {@link #gateway}. */
  private final Map<FunctionName, Route> routes = new TreeMap<>();

  private GatewayStatus gateway = GatewayStatus.gone("");

  private LongConsumer beforeEachLife = epoch -> {};

  private final class Routes implements ConfirmedTable.Table {
    @Override
    public byte[] encode(Revision revision) {
      return ControlMessages.encode(new RouteTable(revision, new ArrayList<>(routes.values())));
    }

    @Override
    public void beginsLife(long epoch) {
      beforeEachLife.accept(epoch);
    }

    @Override
    public GatewayStatus gateway() {
      return gateway;
    }

    @Override
    public Revision confirmedBy(GatewayStatus status) {
      return status.applied();
    }

    @Override
    public boolean isSentWithoutGateway() {
      return true;
    }
  }

  RoutePublisher(
      EpochFile epochs,
      @Channel("routes") @OnOverflow(OnOverflow.Strategy.UNBOUNDED_BUFFER)
          Emitter<byte[]> channel) {
    this.table = new ConfirmedTable("routes", epochs, channel, new Routes());
  }

  /**
   * Begins to publish, with these routes. Before, nothing is sent: an incomplete table would take
   * away functions that run well.
   *
   * @param beforeEachLife receives an epoch before the first table of it is sent
   */
  public void open(Collection<Route> initial, LongConsumer beforeEachLife) {
    table.locked(
        () -> {
          this.beforeEachLife = beforeEachLife;
          initial.forEach(route -> routes.put(route.function(), route));
          table.open();
        });
  }

  void stop(@Observes ShutdownEvent event) {
    table.stop();
  }

  boolean isOpen() {
    return table.isOpen();
  }

  /** What it said last. */
  public GatewayStatus gateway() {
    return table.locked(() -> gateway);
  }

  /** Called after each change of the gateway's status. */
  public void onGatewayChange(Runnable listener) {
    listeners.add(listener);
  }

  /**
   * @return the revision that has the route
   */
  public Revision put(Route route) {
    return table.change(() -> !route.equals(routes.put(route.function(), route)));
  }

  /**
   * @return the revision that no longer has a route for the function
   */
  public Revision remove(FunctionName function) {
    return table.change(() -> routes.remove(function) != null);
  }

  /**
   * Returns if the broker takes messages and the gateway is connected to it.
   *
   * @throws ProblemException {@code GATEWAY_UNAVAILABLE} otherwise
   */
  public void requireGateway() {
    if (!isOpen()) {
      throw unavailable("The manager is still starting.");
    }
    try {
      CompletableFuture<Void> sent = table.send();
      sent.get(BROKER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unavailable("The manager is stopping.");
    } catch (ExecutionException | TimeoutException e) {
      throw unavailable("The broker does not take messages.");
    }
    if (!table.await(() -> gateway.online(), BROKER_TIMEOUT)) {
      throw unavailable("The gateway is not connected to the broker.");
    }
  }

  /**
   * Returns if the table is no larger with it than a message may be.
   *
   * @throws ProblemException {@code INVALID_SPEC} otherwise
   */
  public void requireRoom(Route route) {
    int bytes =
        table.locked(
            () -> {
              Map<FunctionName, Route> then = new TreeMap<>(routes);
              then.put(route.function(), route);
              Revision any = new Revision(Long.MAX_VALUE, Long.MAX_VALUE);
              return ControlMessages.encode(new RouteTable(any, new ArrayList<>(then.values())))
                  .length;
            });
    if (bytes > ControlTopics.MAX_MESSAGE_BYTES - HANDLERS_BYTES) {
      throw ProblemException.of(
          ProblemType.INVALID_SPEC,
          "What all functions tell the gateway, most of it bodies of schedules and attributes of"
              + " links, has no room in a message of "
              + ControlTopics.MAX_MESSAGE_BYTES
              + " bytes with this function: give schedules shorter bodies.");
    }
  }

  private static ProblemException unavailable(String what) {
    return ProblemException.of(
        ProblemType.GATEWAY_UNAVAILABLE,
        what + " Nothing was changed; look at docker compose ps, then try again.");
  }

  /**
   * @return false if the gateway has not said within this time that it routes by this table or a
   *     later one
   */
  public boolean awaitApplied(Revision wanted, Duration atMost) {
    return table.awaitApplied(wanted, atMost);
  }

  /**
   * @return false if the gateway has not said within this time that none of these handlers has an
   *     invocation left
   */
  public boolean awaitReleased(Collection<String> handlers, Duration atMost) {
    return table.await(() -> handlers.stream().noneMatch(this::isHeld), atMost);
  }

  /** Whether the gateway may still send an invocation to this handler or wait for its answer. */
  public boolean isReleased(String handler) {
    return table.locked(() -> !isHeld(handler));
  }

  /** While the gateway is away, or has an older table, nobody knows. */
  private boolean isHeld(String handler) {
    return !table.isApplied(table.revision())
        || gateway.draining().contains(handler)
        || routes.values().stream()
            .flatMap(route -> route.handlers().stream())
            .anyMatch(h -> h.id().equals(handler));
  }

  @Incoming("gateway-status")
  @Blocking
  void onGatewayStatus(byte[] message) {
    GatewayStatus status;
    try {
      status = ControlMessages.decodeGatewayStatus(message);
    } catch (IOException e) {
      LOG.warnf("event=gateway-status-refused reason=\"%s\"", e.getMessage());
      return;
    }
    table.locked(
        () -> {
          if (status.online() != gateway.online()
              || !status.instance().equals(gateway.instance())) {
            LOG.infof(
                "event=gateway-status online=%s instance=%s applied=%s",
                status.online(), status.instance(), status.applied());
          }
          gateway = status;
          table.gatewayChanged();
        });
    listeners.forEach(Runnable::run);
  }
}
