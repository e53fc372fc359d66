package io.tinyfaas.manager.device;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.tinyfaas.contract.device.DeviceTable;
import io.tinyfaas.contract.route.ControlMessages;
import io.tinyfaas.contract.route.GatewayStatus;
import io.tinyfaas.contract.route.RouteRevision;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.route.RoutePublisher;
import io.tinyfaas.manager.store.DeviceStore;
import io.tinyfaas.manager.store.EpochFile;
import io.tinyfaas.manager.store.StoredDevice;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;
import org.jboss.logging.Logger;

/**
 * The devices as the gateway is to know them. Level-triggered, as {@link RoutePublisher}, from
 * which it hears what the gateway says: the table is sent again until the gateway has confirmed it.
 */
@ApplicationScoped
public class DevicePublisher {

  private static final Logger LOG = Logger.getLogger(DevicePublisher.class);
  private static final Duration RESEND_INTERVAL = Duration.ofSeconds(1);

  private final DeviceStore devices;
  private final EpochFile epochs;
  private final RoutePublisher routes;
  private final Emitter<byte[]> channel;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Guarded by {@link #lock}, as is {@link #stopping}. */
  private RouteRevision revision = RouteRevision.NONE;

  private boolean stopping;

  DevicePublisher(
      DeviceStore devices,
      EpochFile epochs,
      RoutePublisher routes,
      @Channel("devices") @OnOverflow(OnOverflow.Strategy.UNBOUNDED_BUFFER)
          Emitter<byte[]> channel) {
    this.devices = devices;
    this.epochs = epochs;
    this.routes = routes;
    this.channel = channel;
  }

  void start(@Observes StartupEvent event) {
    lock.lock();
    try {
      next(routes.gateway());
    } finally {
      lock.unlock();
    }
    routes.onGatewayChange(this::gatewayChanged);
    Thread.ofVirtual().name("devices-resend").start(this::resendUntilConfirmed);
  }

  /** Ends the thread: a bean that is asked for after this would be made anew. */
  void stop(@Observes ShutdownEvent event) {
    lock.lock();
    try {
      stopping = true;
      changed.signalAll();
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
    routes.requireGateway();
  }

  /**
   * Sends the devices as they are in the store.
   *
   * @return the revision that has them
   */
  public RouteRevision publish() {
    lock.lock();
    try {
      revision = new RouteRevision(revision.epoch(), revision.number() + 1);
      send();
      return revision;
    } finally {
      lock.unlock();
    }
  }

  /** Whether the gateway heeds the newest table. */
  public boolean isApplied() {
    lock.lock();
    try {
      return isApplied(revision);
    } finally {
      lock.unlock();
    }
  }

  /**
   * @return false if the gateway has not said within this time that it heeds this table or a later
   *     one
   */
  public boolean awaitApplied(RouteRevision wanted, Duration atMost) {
    return await(() -> isApplied(wanted), atMost);
  }

  private boolean isApplied(RouteRevision wanted) {
    GatewayStatus gateway = routes.gateway();
    return gateway.online() && !wanted.isNewerThan(gateway.devices());
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

  private void gatewayChanged() {
    GatewayStatus gateway = routes.gateway();
    lock.lock();
    try {
      if (gateway.devices().isNewerThan(revision)) {
        // A store that was lost or brought back: whatever the gateway has, ours is newer.
        next(gateway);
      } else if (gateway.online() && revision.isNewerThan(gateway.devices())) {
        send();
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** A life of tables, newer than what the gateway has. */
  private void next(GatewayStatus gateway) {
    revision = new RouteRevision(epochs.next(gateway.devices().epoch() + 1), 1);
    send();
    LOG.infof("event=devices-opened revision=%s", revision);
  }

  private void send() {
    channel.send(
        ControlMessages.encode(
            new DeviceTable(revision, devices.list().stream().map(StoredDevice::device).toList())));
  }

  private void resendUntilConfirmed() {
    while (!await(() -> stopping, RESEND_INTERVAL)) {
      lock.lock();
      try {
        if (!stopping && routes.gateway().online() && !isApplied(revision)) {
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
