package io.tinyfaas.gateway.device;

import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.control.DeviceTable;
import io.vertx.core.Vertx;
import jakarta.inject.Singleton;
import java.io.IOException;
import org.jboss.logging.Logger;

/**
 * Device tables as they come from the broker, in their order. Whatever a message holds, the next
 * one is read.
 */
@Singleton
public final class DeviceSubscriber {

  private static final Logger LOG = Logger.getLogger(DeviceSubscriber.class);

  private final Vertx vertx;
  private final CurrentDevices devices;

  DeviceSubscriber(Vertx vertx, CurrentDevices devices) {
    this.vertx = vertx;
    this.devices = devices;
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

  private void read(byte[] message) {
    try {
      DeviceTable table = ControlMessages.decodeDeviceTable(message);
      if (devices.apply(table)) {
        LOG.infof(
            "event=devices-applied revision=%s devices=%d",
            table.revision(), table.devices().size());
      } else if (!table.revision().equals(devices.revision())) {
        refuse(message, "revision " + table.revision() + " is older than " + devices.revision());
      }
    } catch (IOException | RuntimeException e) {
      refuse(message, String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
    }
  }

  private static void refuse(byte[] message, String reason) {
    LOG.warnf("event=devices-refused bytes=%d reason=\"%s\"", message.length, reason);
  }
}
