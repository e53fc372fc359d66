package io.tinyfaas.manager.compat;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tinyfaas.contract.setting.SettingsCheck;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What the management calls of the existing tinyFaaS leave open. */
@ConfigMapping(prefix = "tinyfaas")
interface CompatSettings {

  /** The gateway's ports as devices reach them, for the lines of an answer; negative: it is off. */
  int coapPort();

  int httpPort();

  int grpcPort();

  /** Whether a new function of an upload may open connections, as all can there. */
  @WithDefault("true")
  boolean uploadNetworkAccess();

  /**
   * Addresses, in CIDR notation, from which archives may be fetched although they are not public.
   */
  Optional<List<String>> fetchAllow();

  /** For the whole of fetching an archive, with all redirects. */
  @WithDefault("2m")
  Duration fetchTimeout();

  /** Its {@code compose/ca-certificates} are trusted beside the usual certificate authorities. */
  Optional<Path> checkout();

  /** What these may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    Ranges(CompatSettings settings) {
      new SettingsCheck()
          .port("COAP_PORT", settings.coapPort())
          .port("HTTP_PORT", settings.httpPort())
          .port("GRPC_PORT", settings.grpcPort())
          .time(
              "TINYFAAS_FETCH_TIMEOUT",
              settings.fetchTimeout(),
              Duration.ofSeconds(1),
              Duration.ofHours(1))
          .orThrow(ConfigurationException::new);
    }
  }
}
