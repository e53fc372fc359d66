package io.tinyfaas.gateway;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.setting.SettingsCheck;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The gateway's settings, but those of the other ingresses, which are in their packages. Each is a
 * property {@code tinyfaas.…} and an environment variable {@code TINYFAAS_…}; the ports are {@code
 * COAP_PORT}, {@code HTTP_PORT} and {@code GRPC_PORT}, as in the existing tinyFaaS.
 */
@ConfigMapping(prefix = "tinyfaas")
public interface GatewayConfig {

  Coap coap();

  Coaps coaps();

  Broker broker();

  /** A file with the key that unseals the keys of devices, which manager and gateway share. */
  Optional<Path> deviceKeyFile();

  /**
   * The folder below which the sockets of handlers are: {@link Path} of a {@code unix} endpoint.
   */
  @WithDefault("/run/tinyfaas")
  Path sockets();

  /** The largest body of a request and of an answer. */
  @WithDefault("1M")
  MemorySize maxBody();

  /** How many invocations may run at once; beyond it devices are told to come back. */
  @WithDefault("4096")
  int maxInFlight();

  /**
   * The same for one function, so that a slow one cannot starve the others. Well above the devices
   * that use it: those who give up and ask again have two running.
   */
  @WithDefault("2048")
  int maxInFlightPerFunction();

  /** The most connections to one handler; further invocations wait for one. */
  @WithDefault("64")
  int maxConnectionsPerHandler();

  /** How long a stopping gateway waits for the invocations it has begun. */
  @WithDefault("8s")
  Duration stopTimeout();

  /** The CoAP ingress. */
  interface Coap {

    /** The address to listen on; the default is all of them. */
    @WithDefault("0.0.0.0")
    String host();

    /** The UDP port, from 0 (any free one, for tests) to 65535; -1 switches CoAP off. */
    @WithDefault("5683")
    int port();

    /**
     * When a request that is still unanswered gets its empty acknowledgement; well below the 2 s
     * after which a device sends it again (RFC 7252, 4.8).
     */
    @WithDefault("500ms")
    Duration ackDelay();

    /**
     * Networks (192.0.2.0/24, 2001:db8::/32) whose addresses nobody else can use. A device of them
     * need not prove that it receives at its address before it gets a large answer.
     */
    @WithDefault("127.0.0.0/8,::1/128")
    List<String> trustedNetworks();

    /** How many requests of one address may run at once; beyond it, it gets 4.29. */
    @WithDefault("2048")
    int maxInFlightPerPeer();

    /** How many may observe functions; at most half of them one and the same function. */
    @WithDefault("1000")
    int maxObservers();
  }

  /** CoAP over DTLS, on the same address; it starts with the first device that is registered. */
  interface Coaps {

    /** The UDP port, from 0 (any free one, for tests) to 65535; -1 switches it off. */
    @WithDefault("5684")
    int port();

    /**
     * A PEM file with the gateway's private key and its certificate, for devices with certificates;
     * those with keys do without.
     */
    Optional<Path> certificateFile();
  }

  /** The MQTT broker of the control plane. */
  interface Broker {
    @WithDefault("127.0.0.1")
    String host();

    @WithDefault("1883")
    int port();

    @WithDefault("gateway")
    String user();

    Optional<String> password();

    /** A file that holds the password, read at each connect; goes before {@link #password()}. */
    Optional<Path> passwordFile();
  }

  /** What these may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    private static final int MAX_COUNT = 65_536;

    Ranges(GatewayConfig config) {
      Coap coap = config.coap();
      new SettingsCheck()
          .size(
              "TINYFAAS_MAX_BODY",
              config.maxBody().asBigInteger(),
              HandlerHttp.MAX_BODY_FROM,
              HandlerHttp.MAX_BODY_TO)
          .number("TINYFAAS_MAX_IN_FLIGHT", config.maxInFlight(), 1, MAX_COUNT)
          .number(
              "TINYFAAS_MAX_IN_FLIGHT_PER_FUNCTION", config.maxInFlightPerFunction(), 1, MAX_COUNT)
          .number(
              "TINYFAAS_MAX_CONNECTIONS_PER_HANDLER", config.maxConnectionsPerHandler(), 1, 4_096)
          .time(
              "TINYFAAS_STOP_TIMEOUT", config.stopTimeout(), Duration.ZERO, Duration.ofMinutes(10))
          .port("COAP_PORT", coap.port())
          .port("COAPS_PORT", config.coaps().port())
          .time(
              "TINYFAAS_COAP_ACK_DELAY",
              coap.ackDelay(),
              Duration.ofMillis(1),
              Duration.ofMillis(1900))
          .number("TINYFAAS_COAP_MAX_IN_FLIGHT_PER_PEER", coap.maxInFlightPerPeer(), 1, MAX_COUNT)
          .number("TINYFAAS_COAP_MAX_OBSERVERS", coap.maxObservers(), 1, MAX_COUNT)
          .number("TINYFAAS_BROKER_PORT", config.broker().port(), 1, 65_535)
          .orThrow(ConfigurationException::new);
    }
  }
}
