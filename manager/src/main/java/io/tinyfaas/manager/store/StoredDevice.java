package io.tinyfaas.manager.store;

import io.tinyfaas.contract.device.Device;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.DeviceName;
import java.util.Objects;

/**
 * A device as it was registered. Of its key there is only the sealed form.
 *
 * @param created when, as RFC 3339 has it
 * @param subject of its certificate; empty for a device with a key
 * @param expires when its certificate does, as RFC 3339 has it; empty for a device with a key
 */
public record StoredDevice(
    DeviceName name, DeviceCredential credential, String created, String subject, String expires) {
  public StoredDevice {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(credential, "credential");
    Objects.requireNonNull(created, "created");
    Objects.requireNonNull(subject, "subject");
    Objects.requireNonNull(expires, "expires");
  }

  /** As the gateway is to know it. */
  public Device device() {
    return new Device(name, credential);
  }
}
