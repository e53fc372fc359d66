package io.tinyfaas.manager.engine;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.annotations.StaticInitSafe;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.setting.SettingsCheck;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** What the manager may use of the box's Docker Engine. */
@StaticInitSafe
@ConfigMapping(prefix = "tinyfaas")
public interface EngineSettings {

  /** How gateway and handlers reach each other. */
  enum Transport {
    /** A Unix socket in a folder that both mount. */
    UNIX,
    /** TCP over a network of the function's own. */
    TCP
  }

  /**
   * Tells this installation's containers, networks and images from those of another on the same
   * engine: the Compose project.
   */
  @WithDefault("tinyfaas")
  String instance();

  @WithDefault("unix")
  Transport handlerTransport();

  /** Where the Docker Engine listens. */
  @WithDefault("/var/run/docker.sock")
  Path dockerSocket();

  /**
   * How long the engine may be silent in a call before it counts as hung: above the slowest, the
   * commit of a large function.
   */
  @WithDefault("2m")
  Duration engineTimeout();

  /** The folder of the handlers' sockets as this process sees it. */
  @WithDefault("/run/tinyfaas")
  Path sockets();

  /**
   * The Docker volume behind {@link #sockets()}: the engine mounts folders of it into handlers by
   * their path on the host, which only the engine knows.
   */
  @WithDefault("tinyfaas_sockets")
  String socketsVolume();

  /** The folder as this process sees it in which the gateway listens for functions that call. */
  @WithDefault("/run/tinyfaas-calls")
  Path callSockets();

  /** The Docker volume behind {@link #callSockets()}, as with that of the sockets. */
  @WithDefault("tinyfaas_call-sockets")
  String callSocketsVolume();

  /** The name of the gateway's container, which joins every function's network with {@code tcp}. */
  @WithDefault("tinyfaas-gateway-1")
  String gatewayContainer();

  /** The name of this process' container; empty where it does not run in one. */
  Optional<String> managerContainer();

  /**
   * Which images may be runtimes, as the engine filters references. Their labels say what they are;
   * but an image that somebody built on top of a runtime inherits those, and is none.
   */
  @WithDefault("tinyfaas/runtime-*:latest")
  String runtimes();

  /**
   * The checkout, in which folders that have a Dockerfile and a descriptor are runtimes; empty:
   * only images are.
   */
  Optional<Path> checkout();

  /** How long the build of a runtime's image may take. */
  @WithDefault("15m")
  Duration runtimeBuildTimeout();

  /** How long a call waits for such a build before it is told to come again. */
  @WithDefault("90s")
  Duration runtimeWait();

  /** The image with {@code iptables} that keeps functions with network access off the host. */
  @WithDefault("tinyfaas/manager")
  String firewallImage();

  /** The largest body of an invocation, which the gateway bounds, too. */
  @WithDefault("1M")
  MemorySize maxBody();

  /** How long a handler may take from its start to healthy. */
  @WithDefault("30s")
  Duration startTimeout();

  /** How long a runtime's build command may take. */
  @WithDefault("5m")
  Duration buildTimeout();

  /** What a function's build command may write, and what of it becomes part of its image. */
  @WithDefault("512M")
  MemorySize maxBuild();

  /** What all steps of a runtime's build may write together. */
  @WithDefault("2G")
  MemorySize maxRuntimeBuild();

  /** What these may be; looked at before anything starts. */
  @Startup(1)
  @Singleton
  final class Ranges {

    private static final Duration SHORTEST = Duration.ofSeconds(1);

    Ranges(EngineSettings settings) {
      new SettingsCheck()
          .time(
              "TINYFAAS_ENGINE_TIMEOUT", settings.engineTimeout(), SHORTEST, Duration.ofMinutes(30))
          .time(
              "TINYFAAS_RUNTIME_BUILD_TIMEOUT",
              settings.runtimeBuildTimeout(),
              SHORTEST,
              Duration.ofHours(12))
          .time(
              "TINYFAAS_RUNTIME_WAIT", settings.runtimeWait(), Duration.ZERO, Duration.ofHours(12))
          .size(
              "TINYFAAS_MAX_BODY",
              settings.maxBody().asBigInteger(),
              HandlerHttp.MAX_BODY_FROM,
              HandlerHttp.MAX_BODY_TO)
          .size("TINYFAAS_MAX_BUILD", settings.maxBuild().asBigInteger(), 1L << 20, 1L << 36)
          .size(
              "TINYFAAS_MAX_RUNTIME_BUILD",
              settings.maxRuntimeBuild().asBigInteger(),
              1L << 20,
              1L << 36)
          .time("TINYFAAS_START_TIMEOUT", settings.startTimeout(), SHORTEST, Duration.ofHours(1))
          .time("TINYFAAS_BUILD_TIMEOUT", settings.buildTimeout(), SHORTEST, Duration.ofHours(12))
          .orThrow(ConfigurationException::new);
    }
  }
}
