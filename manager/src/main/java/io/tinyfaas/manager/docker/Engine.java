package io.tinyfaas.manager.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.core.DefaultDockerClientConfig;
import com.github.dockerjava.core.DockerClientImpl;
import com.github.dockerjava.core.RemoteApiVersion;
import com.github.dockerjava.zerodep.ZerodepDockerHttpClient;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;

/** The connection to the Docker Engine, and what its failures mean to a caller. */
public final class Engine {

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /** Of each client: readings of logs, and half as many for builds and events besides. */
  private static final int CONNECTIONS = HandlerLogs.MAX_READINGS * 3 / 2;

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

  /** Whether the failure came from the engine or from the way to it. */
  public static boolean isAtFault(Throwable failure) {
    return failure instanceof DockerException || hasCause(failure, IOException.class);
  }

  /** Whether nobody listens on the engine's socket. */
  static boolean isRefused(Throwable failure) {
    return hasCause(failure, ConnectException.class);
  }

  /** Turns what a call to the engine threw into the caller's problem. */
  public static ProblemException problem(RuntimeException failure) {
    if (failure instanceof ProblemException problem) {
      return problem;
    }
    String message = String.valueOf(failure.getMessage());
    if (ProblemException.isOfFullDisk(message)) {
      return ProblemException.of(
          ProblemType.DISK_FULL,
          "The Docker Engine's disk has no space left: remove functions, images or other files,"
              + " then try again.",
          failure);
    }
    if (isAtFault(failure)) {
      return ProblemException.of(
          ProblemType.ENGINE_UNAVAILABLE,
          "The Docker Engine did not do what was asked: "
              + firstLine(message)
              + ". Nothing was changed; try again once it runs well (docker info).",
          failure);
    }
    return ProblemException.of(
        ProblemType.INTERNAL, "The manager failed; its log says why.", failure);
  }

  private static String firstLine(String message) {
    String line = message.strip().lines().findFirst().orElse("");
    return line.length() > 300 ? line.substring(0, 300) : line;
  }

  private static boolean hasCause(Throwable failure, Class<?> type) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (type.isInstance(cause)) {
        return true;
      }
    }
    return false;
  }
}
