package io.tinyfaas.gateway.mqtt;

import io.smallrye.config.ConfigMapping;
import java.nio.file.Path;
import java.util.Optional;

/** Where the devices' broker is. */
@ConfigMapping(prefix = "tinyfaas.device-broker")
interface DeviceBrokerSettings {

  /** Its Unix socket; without one there is no MQTT for devices. */
  Optional<Path> socket();
}
