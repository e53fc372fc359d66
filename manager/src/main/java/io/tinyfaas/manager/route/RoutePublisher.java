package io.tinyfaas.manager.route;

import io.smallrye.reactive.messaging.annotations.Blocking;
import io.tinyfaas.contract.route.ControlMessages;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.GatewayStatus;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.contract.route.RouteRevision;
import io.tinyfaas.contract.route.RouteTable;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.store.EpochFile;
import jakarta.enterprise.context.ApplicationScoped;
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
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;
import org.jboss.logging.Logger;

/**
 * The routes as the gateway is to have them, and what it says it has.
 *
 * <p>Level-triggered: the table is sent again until the gateway has confirmed it. So a broker that
 * was away, forgot what it retained, or brought back something old needs no case of its own.
 */
@ApplicationScoped
public class RoutePublisher {

  private static final Logger LOG = Logger.getLogger(RoutePublisher.class);

  /** The broker answers on the same box within a millisecond, if it is there. */
  private static final Duration BROKER_TIMEOUT = Duration.ofSeconds(3);

  private static final Duration RESEND_INTERVAL = Duration.ofSeconds(1);

  private final EpochFile epochs;
  private final Emitter<byte[]> channel;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Guarded by {@link #lock}, as all below. */
  private final Map<FunctionName, Route> routes = new TreeMap<>();

  private RouteRevision revision = RouteRevision.NONE;
  private GatewayStatus gateway = GatewayStatus.gone("");
  private long lastSent = System.nanoTime();

  RoutePublisher(
      EpochFile epochs,
      @Channel("routes") @OnOverflow(OnOverflow.Strategy.UNBOUNDED_BUFFER)
          Emitter<byte[]> channel) {
    this.epochs = epochs;
    this.channel = channel;
  }

  /**
   * Begins to publish, with these routes. Before, nothing is sent: an incomplete table would take
   * away functions that run well.
   */
  public void open(Collection<Route> initial) {
    lock.lock();
    try {
      initial.forEach(route -> routes.put(route.function(), route));
      revision = new RouteRevision(epochs.next(gateway.applied().epoch() + 1), 1);
      send();
    } finally {
      lock.unlock();
    }
    LOG.infof("event=routes-opened revision=%s functions=%d", revision, initial.size());
    Thread.ofVirtual().name("routes-resend").start(this::resendUntilConfirmed);
  }

  boolean isOpen() {
    lock.lock();
    try {
      return revision.epoch() > 0;
    } finally {
      lock.unlock();
    }
  }

  /** What it said last. */
  public GatewayStatus gateway() {
    lock.lock();
    try {
      return gateway;
    } finally {
      lock.unlock();
    }
  }

  /** Called after each change of the gateway's status. */
  public void onGatewayChange(Runnable listener) {
    listeners.add(listener);
  }

  /**
   * @return the revision that has the route
   */
  public RouteRevision put(Route route) {
    lock.lock();
    try {
      if (!route.equals(routes.put(route.function(), route))) {
        next();
      }
      return revision;
    } finally {
      lock.unlock();
    }
  }

  /**
   * @return the revision that no longer has a route for the function
   */
  public RouteRevision remove(FunctionName function) {
    lock.lock();
    try {
      if (routes.remove(function) != null) {
        next();
      }
      return revision;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Returns if the broker takes messages and the gateway is connected to it.
   *
   * @throws ProblemException {@code GATEWAY_UNAVAILABLE} otherwise
   */
  public void requireGateway() {
    try {
      CompletableFuture<Void> sent;
      lock.lock();
      try {
        if (!isOpen()) {
          throw unavailable("The manager is still starting.");
        }
        sent = send();
      } finally {
        lock.unlock();
      }
      sent.get(BROKER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unavailable("The manager is stopping.");
    } catch (ExecutionException | TimeoutException e) {
      throw unavailable("The broker does not take messages.");
    }
    if (!await(() -> gateway.online(), BROKER_TIMEOUT)) {
      throw unavailable("The gateway is not connected to the broker.");
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
  public boolean awaitApplied(RouteRevision wanted, Duration atMost) {
    return await(() -> gateway.online() && !wanted.isNewerThan(gateway.applied()), atMost);
  }

  /**
   * @return false if the gateway has not said within this time that none of these handlers has an
   *     invocation left
   */
  public boolean awaitReleased(Collection<String> handlers, Duration atMost) {
    return await(() -> handlers.stream().noneMatch(this::isHeld), atMost);
  }

  /** Whether the gateway may still send an invocation to this handler or wait for its answer. */
  public boolean isReleased(String handler) {
    lock.lock();
    try {
      return !isHeld(handler);
    } finally {
      lock.unlock();
    }
  }

  /** While the gateway is away, or has an older table, nobody knows. */
  private boolean isHeld(String handler) {
    return !gateway.online()
        || revision.isNewerThan(gateway.applied())
        || gateway.draining().contains(handler)
        || routes.values().stream()
            .flatMap(route -> route.handlers().stream())
            .anyMatch(h -> h.id().equals(handler));
  }

  private boolean await(BooleanSupplier condition, Duration atMost) {
    long left = atMost.toNanos();
    lock.lock();
    try {
      while (!condition.getAsBoolean()) {
        if (left <= 0) {
          return false;
        }
        left = changed.awaitNanos(left);
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
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
    lock.lock();
    try {
      if (status.online() != gateway.online() || !status.instance().equals(gateway.instance())) {
        LOG.infof(
            "event=gateway-status online=%s instance=%s applied=%s",
            status.online(), status.instance(), status.applied());
      }
      gateway = status;
      if (isOpen() && status.applied().isNewerThan(revision)) {
        // A store that was lost, or a clock turned back: whatever the gateway has, ours is newer.
        revision = new RouteRevision(epochs.next(status.applied().epoch() + 1), 1);
        send();
      } else if (isOpen() && status.online() && revision.isNewerThan(status.applied())) {
        send();
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    listeners.forEach(Runnable::run);
  }

  private void next() {
    if (isOpen()) {
      revision = new RouteRevision(revision.epoch(), revision.number() + 1);
      send();
    }
  }

  /** Completes when the broker has it. */
  private CompletableFuture<Void> send() {
    CompletableFuture<Void> sent = new CompletableFuture<>();
    lastSent = System.nanoTime();
    byte[] message =
        ControlMessages.encode(new RouteTable(revision, new ArrayList<>(routes.values())));
    channel.send(
        Message.of(
            message,
            () -> {
              sent.complete(null);
              return CompletableFuture.completedFuture(null);
            },
            failure -> {
              sent.completeExceptionally(failure);
              return CompletableFuture.completedFuture(null);
            }));
    return sent;
  }

  private void resendUntilConfirmed() {
    while (!Thread.currentThread().isInterrupted()) {
      await(() -> false, RESEND_INTERVAL);
      lock.lock();
      try {
        if (revision.isNewerThan(gateway.applied())
            && System.nanoTime() - lastSent >= RESEND_INTERVAL.toNanos()) {
          send();
        }
      } catch (IllegalStateException e) {
        return; // the channel is closed: the manager stops
      } finally {
        lock.unlock();
      }
    }
  }
}
