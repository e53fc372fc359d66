package io.tinyfaas.manager.engine;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.core.DefaultDockerClientConfig;
import com.github.dockerjava.core.DockerClientImpl;
import com.github.dockerjava.core.RemoteApiVersion;
import com.github.dockerjava.zerodep.ZerodepDockerHttpClient;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;

/** The connection to the Docker Engine. */
public final class Engine {

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /** Of each client. */
  public static final int CONNECTIONS = 96;

  private Engine() {}

  /** For calls that are answered soon, or the engine hangs. */
  @Produces
  @ApplicationScoped
  static DockerClient connect(EngineSettings settings) {
    return connect(settings, settings.engineTimeout());
  }

  /** For events, output and waiting for an end: there, silence says nothing. */
  @Produces
  @ApplicationScoped
  @LongCalls
  static DockerClient connectForLongCalls(EngineSettings settings) {
    return connect(settings, null);
  }

  private static DockerClient connect(EngineSettings settings, Duration timeout) {
    DefaultDockerClientConfig config =
        DefaultDockerClientConfig.createDefaultConfigBuilder()
            .withDockerHost("unix://" + settings.dockerSocket())
            .withDockerTlsVerify(false)
            // No version in the path: engines from 20.10 to the newest answer with their own.
            .withApiVersion(RemoteApiVersion.unknown())
            .build();
    return DockerClientImpl.getInstance(
        config,
        new ZerodepDockerHttpClient.Builder()
            .dockerHost(config.getDockerHost())
            .maxConnections(CONNECTIONS)
            .connectionTimeout(CONNECT_TIMEOUT)
            .responseTimeout(timeout)
            .build());
  }

  static void disconnect(@Disposes DockerClient client) throws IOException {
    client.close();
  }

  static void disconnectLongCalls(@Disposes @LongCalls DockerClient client) throws IOException {
    client.close();
  }

  /** Whether nobody listens on the engine's socket. */
  public static boolean isRefused(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof ConnectException) {
        return true;
      }
    }
    return false;
  }
}
