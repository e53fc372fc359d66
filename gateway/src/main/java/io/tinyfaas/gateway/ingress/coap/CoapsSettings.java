package io.tinyfaas.gateway.ingress.coap;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tinyfaas.contract.setting.SettingsCheck;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The settings of CoAP over DTLS: {@code TINYFAAS_COAPS_…}, and {@code COAPS_PORT}. It listens on
 * the address of {@link CoapSettings}.
 */
@ConfigMapping(prefix = "tinyfaas.coaps")
interface CoapsSettings {

  /** The UDP port, from 0 (any free one, for tests) to 65535; -1 switches it off. */
  @WithDefault("5684")
  int port();

  /**
   * A PEM file with the gateway's private key and its certificate, for devices with certificates;
   * those with keys do without.
   */
  Optional<Path> certificateFile();

  /** What these may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    Ranges(CoapsSettings settings) {
      new SettingsCheck().port("COAPS_PORT", settings.port()).orThrow(ConfigurationException::new);
    }
  }
}
