package io.tinyfaas.gateway;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tinyfaas.contract.setting.SettingsCheck;
import jakarta.inject.Singleton;
import java.time.Duration;

/** The gateway's own settings; those of each part are in its package. */
@ConfigMapping(prefix = "tinyfaas")
public interface GatewaySettings {

  /** How long a stopping gateway waits for the invocations it has begun. */
  @WithDefault("8s")
  Duration stopTimeout();

  /** What it may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    Ranges(GatewaySettings settings) {
      new SettingsCheck()
          .time(
              "TINYFAAS_STOP_TIMEOUT",
              settings.stopTimeout(),
              Duration.ZERO,
              Duration.ofMinutes(10))
          .orThrow(ConfigurationException::new);
    }
  }
}
