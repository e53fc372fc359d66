package io.tinyfaas.contract.device;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Objects;
import java.util.Optional;

/**
 * A registered device, or authority of devices, as the gateway knows it.
 *
 * @param mqtt empty for one that may what every device may; that is not in its JSON
 */
public record Device(
    DeviceName name,
    DeviceCredential credential,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<DeviceTopics> mqtt) {

  @JsonCreator
  public Device {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(credential, "credential");
    mqtt = mqtt.filter(topics -> !topics.isEmpty());
  }

  public Device(DeviceName name, DeviceCredential credential) {
    this(name, credential, Optional.empty());
  }
}
