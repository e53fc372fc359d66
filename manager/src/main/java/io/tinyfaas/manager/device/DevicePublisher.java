package io.tinyfaas.manager.device;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.control.DeviceTable;
import io.tinyfaas.contract.control.GatewayStatus;
import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.manager.control.ConfirmedTable;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.route.RoutePublisher;
import io.tinyfaas.manager.store.DeviceStore;
import io.tinyfaas.manager.store.EpochFile;
import io.tinyfaas.manager.store.StoredDevice;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;

/**
 * The devices as the gateway is to know them, a {@link ConfirmedTable}. What the gateway says comes
 * by {@link RoutePublisher}.
 */
@ApplicationScoped
public class DevicePublisher {

  private final DeviceStore devices;
  private final RoutePublisher routes;
  private final ConfirmedTable table;

  private final class Devices implements ConfirmedTable.Table {
    @Override
    public byte[] encode(Revision revision) {
      return ControlMessages.encode(
          new DeviceTable(revision, devices.list().stream().map(StoredDevice::device).toList()));
    }

    @Override
    public GatewayStatus gateway() {
      return routes.gateway();
    }

    @Override
    public Revision confirmedBy(GatewayStatus status) {
      return status.devices();
    }

    @Override
    public boolean isSentWithoutGateway() {
      return false;
    }
  }

  DevicePublisher(
      DeviceStore devices,
      EpochFile epochs,
      RoutePublisher routes,
      @Channel("devices") @OnOverflow(OnOverflow.Strategy.UNBOUNDED_BUFFER)
          Emitter<byte[]> channel) {
    this.devices = devices;
    this.routes = routes;
    this.table = new ConfirmedTable("devices", epochs, channel, new Devices());
  }

  void start(@Observes StartupEvent event) {
    table.open();
    routes.onGatewayChange(table::gatewayChanged);
  }

  /** Before its beans go: one that is asked for after this would be made anew. */
  void stop(@Observes ShutdownEvent event) {
    table.stop();
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
  public Revision publish() {
    return table.change(() -> true);
  }

  /** Whether the gateway applies the newest table. */
  public boolean isApplied() {
    return table.isApplied(table.revision());
  }

  /**
   * @return false if the gateway has not said within this time that it applies this table or a
   *     later one
   */
  public boolean awaitApplied(Revision wanted, Duration atMost) {
    return table.awaitApplied(wanted, atMost);
  }
}
