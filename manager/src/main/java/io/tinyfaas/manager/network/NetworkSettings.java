package io.tinyfaas.manager.network;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.annotations.StaticInitSafe;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.inject.Singleton;

/** Which addresses of the box are functions'. */
@StaticInitSafe
@ConfigMapping(prefix = "tinyfaas")
interface NetworkSettings {

  /** The IPv4 range, in CIDR notation, from which functions' networks are cut. */
  @WithDefault("10.200.0.0/16")
  String addressPool();

  /** What it may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    Ranges(NetworkSettings settings) {
      try {
        AddressPool.parse(settings.addressPool());
      } catch (IllegalArgumentException e) {
        throw new ConfigurationException(e.getMessage());
      }
    }
  }
}
