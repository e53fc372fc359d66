package io.tinyfaas.gateway.device;

import io.smallrye.config.ConfigMapping;
import java.nio.file.Path;
import java.util.Optional;

/** What opens the keys of devices. */
@ConfigMapping(prefix = "tinyfaas")
interface DeviceSettings {

  /** A file with the key that unseals the keys of devices, which manager and gateway share. */
  Optional<Path> deviceKeyFile();
}
