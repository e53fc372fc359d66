package io.tinyfaas.manager.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.HostConfig;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * The addresses of the box, which this process' own network does not show: asked of a container in
 * the host's network that does nothing else and is gone at once.
 */
@ApplicationScoped
public class HostAddresses {

  private static final int PATIENCE_SECONDS = 20;

  private final DockerClient docker;
  private final EngineSettings settings;

  HostAddresses(DockerClient docker, EngineSettings settings) {
    this.docker = docker;
    this.settings = settings;
  }

  /**
   * @return as text, without loopback and link-local ones
   * @throws ProblemException ENGINE_UNAVAILABLE
   */
  public Set<String> list() {
    try {
      return ask();
    } catch (RuntimeException e) {
      throw Engine.problem(e);
    }
  }

  private Set<String> ask() {
    String container =
        docker
            .createContainerCmd(settings.firewallImage())
            .withLabels(Map.of(Labels.INSTANCE, settings.instance(), Labels.ROLE, "build"))
            .withUser("65534:65534")
            .withEntrypoint("hostname", "--all-ip-addresses")
            .withCmd()
            .withHostConfig(
                HostConfig.newHostConfig()
                    .withNetworkMode("host")
                    .withCapDrop(Capability.ALL)
                    .withReadonlyRootfs(true)
                    .withMemory(64L * 1024 * 1024)
                    .withPidsLimit(16L))
            .exec()
            .getId();
    try {
      docker.startContainerCmd(container).exec();
      Integer exit =
          docker
              .waitContainerCmd(container)
              .start()
              .awaitStatusCode(PATIENCE_SECONDS, TimeUnit.SECONDS);
      String output = String.join(" ", ContainerOutput.lastLines(docker, container));
      if (exit != 0 || output.isBlank()) {
        throw ProblemException.of(
            ProblemType.ENGINE_UNAVAILABLE, "The box' own addresses could not be found: " + output);
      }
      return Arrays.stream(output.strip().split("\\s+")).collect(Collectors.toUnmodifiableSet());
    } finally {
      docker.removeContainerCmd(container).withForce(true).exec();
    }
  }
}
