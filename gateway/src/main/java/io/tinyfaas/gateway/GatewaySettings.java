package io.tinyfaas.gateway;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.setting.SettingsCheck;
import io.tinyfaas.gateway.memory.HeapBudget;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The gateway's settings, but those of each ingress, which are in its package. Each is a property
 * {@code tinyfaas.…} and an environment variable {@code TINYFAAS_…}.
 */
@ConfigMapping(prefix = "tinyfaas")
public interface GatewaySettings {

  Broker broker();

  /** A file with the key that unseals the keys of devices, which manager and gateway share. */
  Optional<Path> deviceKeyFile();

  /**
   * The folder below which the sockets of handlers are: {@link Path} of a {@code unix} endpoint.
   */
  @WithDefault("/run/tinyfaas")
  Path sockets();

  /** The largest body of a request and of an answer; the heap bounds it, see {@link HeapBudget}. */
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

  /**
   * The same for one address, whatever protocols it uses: fewer than one function may have, so that
   * one address cannot take them all. All that comes by one proxy, or from behind one NAT, is one
   * address.
   */
  @WithDefault("1536")
  int maxInFlightPerPeer();

  /** The most connections to one handler; further invocations wait for one. */
  @WithDefault("64")
  int maxConnectionsPerHandler();

  /** How long a stopping gateway waits for the invocations it has begun. */
  @WithDefault("8s")
  Duration stopTimeout();

  Http http();

  Grpc grpc();

  Coap coap();

  /** What of the HTTP ingress the {@link HeapBudget} is made of. */
  interface Http {

    /**
     * How many connections may be open, and three quarters of them of one address. Beyond it the
     * one that has waited longest for a request is closed for a new one, and the new one if none
     * waits.
     */
    @WithDefault("1000")
    int maxConnections();
  }

  /** The same of the gRPC ingress. */
  interface Grpc {

    /**
     * How many connections may be open, and three quarters of them of one address; further ones are
     * closed at once. Each carries a hundred calls.
     */
    @WithDefault("256")
    int maxConnections();
  }

  /** The same of the CoAP ingress. */
  interface Coap {

    /** How many may observe functions; at most half of them one and the same function. */
    @WithDefault("1000")
    int maxObservers();
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

    /** At most what {@code -Xmx} has and {@link Runtime#maxMemory} has not: one survivor space. */
    private static final long SURVIVOR_MEBIBYTES = 4;

    /** Classes, code, stacks; and as much as the heap for what the kernel is to take. */
    private static final long BESIDE_HEAP_MEBIBYTES = 100;

    @Inject
    Ranges(GatewaySettings settings) {
      this(settings, Runtime.getRuntime().maxMemory());
    }

    Ranges(GatewaySettings settings, long heap) {
      long body =
          settings.maxBody().asBigInteger().min(BigInteger.valueOf(Long.MAX_VALUE)).longValue();
      new SettingsCheck()
          .size(
              "TINYFAAS_MAX_BODY",
              settings.maxBody().asBigInteger(),
              HandlerHttp.MAX_BODY_FROM,
              HandlerHttp.MAX_BODY_TO)
          .number("TINYFAAS_MAX_IN_FLIGHT", settings.maxInFlight(), 1, MAX_COUNT)
          .number(
              "TINYFAAS_MAX_IN_FLIGHT_PER_FUNCTION",
              settings.maxInFlightPerFunction(),
              1,
              MAX_COUNT)
          .number("TINYFAAS_MAX_IN_FLIGHT_PER_PEER", settings.maxInFlightPerPeer(), 1, MAX_COUNT)
          .number(
              "TINYFAAS_MAX_CONNECTIONS_PER_HANDLER", settings.maxConnectionsPerHandler(), 1, 4_096)
          .time(
              "TINYFAAS_STOP_TIMEOUT",
              settings.stopTimeout(),
              Duration.ZERO,
              Duration.ofMinutes(10))
          .number("TINYFAAS_HTTP_MAX_CONNECTIONS", settings.http().maxConnections(), 1, MAX_COUNT)
          .number("TINYFAAS_GRPC_MAX_CONNECTIONS", settings.grpc().maxConnections(), 1, MAX_COUNT)
          .number("TINYFAAS_COAP_MAX_OBSERVERS", settings.coap().maxObservers(), 1, MAX_COUNT)
          .number("TINYFAAS_BROKER_PORT", settings.broker().port(), 1, 65_535)
          .require(
              body < HandlerHttp.MAX_BODY_FROM
                  || body > HandlerHttp.MAX_BODY_TO
                  || new HeapBudget(heap, settings).isEnough(),
              () -> tooLittleHeap(settings, heap))
          .orThrow(ConfigurationException::new);
    }

    private static String tooLittleHeap(GatewaySettings settings, long heap) {
      long needed = (new HeapBudget(heap, settings).enough() >> 20) + 1 + SURVIVOR_MEBIBYTES;
      return "TINYFAAS_MAX_BODY is "
          + settings.maxBody().asLongValue()
          + " bytes, which the gateway's heap of "
          + (heap >> 20)
          + " MiB has no room for besides its other limits: set TINYFAAS_GATEWAY_HEAP to "
          + needed
          + "m and TINYFAAS_GATEWAY_MEMORY to "
          + (2 * needed + BESIDE_HEAP_MEBIBYTES)
          + "m, or lower one (docs/limits.md).";
    }
  }
}
