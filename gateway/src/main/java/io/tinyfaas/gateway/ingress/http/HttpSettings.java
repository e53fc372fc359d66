package io.tinyfaas.gateway.ingress.http;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tinyfaas.contract.setting.SettingsCheck;
import jakarta.inject.Singleton;
import java.time.Duration;

/**
 * The settings of the HTTP ingress: {@code TINYFAAS_HTTP_…}, and {@code HTTP_PORT}. Deadlines are
 * kept to the second.
 */
@ConfigMapping(prefix = "tinyfaas.http")
interface HttpSettings {

  /** The address to listen on; the default is all of them. */
  @WithDefault("0.0.0.0")
  String host();

  /** The TCP port, from 0 (any free one, for tests) to 65535; -1 switches HTTP off. */
  @WithDefault("8000")
  int port();

  /** From the connection to the end of the first request's header. */
  @WithDefault("10s")
  Duration headerTimeout();

  /** From the end of an answer to the end of the next request's header. */
  @WithDefault("60s")
  Duration idleTimeout();

  /** How long a request's body may take. */
  @WithDefault("60s")
  Duration bodyTimeout();

  /** How long a client may take to receive an answer. */
  @WithDefault("60s")
  Duration sendTimeout();

  /** What these may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofHours(1);

    Ranges(HttpSettings settings) {
      new SettingsCheck()
          .port("HTTP_PORT", settings.port())
          .time("TINYFAAS_HTTP_HEADER_TIMEOUT", settings.headerTimeout(), SHORTEST, LONGEST)
          .time("TINYFAAS_HTTP_IDLE_TIMEOUT", settings.idleTimeout(), SHORTEST, LONGEST)
          .time("TINYFAAS_HTTP_BODY_TIMEOUT", settings.bodyTimeout(), SHORTEST, LONGEST)
          .time("TINYFAAS_HTTP_SEND_TIMEOUT", settings.sendTimeout(), SHORTEST, LONGEST)
          .orThrow(ConfigurationException::new);
    }
  }
}
