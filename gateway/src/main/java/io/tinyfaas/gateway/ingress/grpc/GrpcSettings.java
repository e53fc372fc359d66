package io.tinyfaas.gateway.ingress.grpc;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tinyfaas.contract.setting.SettingsCheck;
import jakarta.inject.Singleton;
import java.time.Duration;

/** The settings of the gRPC ingress: {@code TINYFAAS_GRPC_…}, and {@code GRPC_PORT}. */
@ConfigMapping(prefix = "tinyfaas.grpc")
interface GrpcSettings {

  /** The address to listen on; the default is all of them. */
  @WithDefault("0.0.0.0")
  String host();

  /** The TCP port, from 0 (any free one, for tests) to 65535; -1 switches gRPC off. */
  @WithDefault("9000")
  int port();

  /** From the connection to the client's first frame. */
  @WithDefault("10s")
  Duration handshakeTimeout();

  /** How long a connection may be without a call; clients open another when they need one. */
  @WithDefault("60s")
  Duration idleTimeout();

  /** From the call to the end of its message. */
  @WithDefault("60s")
  Duration receiveTimeout();

  /** How long a client may take to receive an answer. */
  @WithDefault("60s")
  Duration sendTimeout();

  /** What these may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofHours(1);

    Ranges(GrpcSettings settings) {
      new SettingsCheck()
          .port("GRPC_PORT", settings.port())
          .time("TINYFAAS_GRPC_HANDSHAKE_TIMEOUT", settings.handshakeTimeout(), SHORTEST, LONGEST)
          .time("TINYFAAS_GRPC_IDLE_TIMEOUT", settings.idleTimeout(), SHORTEST, LONGEST)
          .time("TINYFAAS_GRPC_RECEIVE_TIMEOUT", settings.receiveTimeout(), SHORTEST, LONGEST)
          .time("TINYFAAS_GRPC_SEND_TIMEOUT", settings.sendTimeout(), SHORTEST, LONGEST)
          .orThrow(ConfigurationException::new);
    }
  }
}
