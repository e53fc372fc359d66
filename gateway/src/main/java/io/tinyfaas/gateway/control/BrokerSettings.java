package io.tinyfaas.gateway.control;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tinyfaas.contract.setting.SettingsCheck;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.util.Optional;

/** The MQTT broker of the control plane. */
@ConfigMapping(prefix = "tinyfaas.broker")
interface BrokerSettings {

  @WithDefault("127.0.0.1")
  String host();

  @WithDefault("1883")
  int port();

  @WithDefault("gateway")
  String user();

  Optional<String> password();

  /** A file that holds the password, read at each connect; goes before {@link #password()}. */
  Optional<Path> passwordFile();

  /** What these may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    Ranges(BrokerSettings settings) {
      new SettingsCheck()
          .number("TINYFAAS_BROKER_PORT", settings.port(), 1, 65_535)
          .orThrow(ConfigurationException::new);
    }
  }
}
