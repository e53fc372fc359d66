package io.tinyfaas.manager.store;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.tinyfaas.contract.device.Device;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.DeviceName;
import io.tinyfaas.contract.device.DeviceTopics;
import java.util.Objects;
import java.util.Optional;

/**
 * A device as it was registered. Of its key there is only the sealed form.
 *
 * @param created when, as RFC 3339 has it
 * @param subject of its certificate; empty for a device with a key
 * @param expires when its certificate does, as RFC 3339 has it; empty for a device with a key
 * @param mqtt as in {@link Device}; earlier managers did not write it
 */
public record StoredDevice(
    DeviceName name,
    DeviceCredential credential,
    String created,
    String subject,
    String expires,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<DeviceTopics> mqtt) {

  @JsonCreator
  public StoredDevice {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(credential, "credential");
    Objects.requireNonNull(created, "created");
    Objects.requireNonNull(subject, "subject");
    Objects.requireNonNull(expires, "expires");
    Objects.requireNonNull(mqtt, "mqtt");
  }

  /** One that may publish and subscribe what every device may. */
  public StoredDevice(
      DeviceName name,
      DeviceCredential credential,
      String created,
      String subject,
      String expires) {
    this(name, credential, created, subject, expires, Optional.empty());
  }

  /** As the gateway is to know it. */
  public Device device() {
    return new Device(name, credential, mqtt);
  }
}
