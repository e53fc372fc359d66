package io.tinyfaas.contract.device;

import java.util.Objects;

/** A registered device, or authority of devices, as the gateway knows it. */
public record Device(DeviceName name, DeviceCredential credential) {
  public Device {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(credential, "credential");
  }
}
