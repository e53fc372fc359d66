package io.tinyfaas.manager.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.HostConfig;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Runs a command in the host's network, in a container that does nothing else and is gone at once,
 * so that the manager itself is neither there nor has the rights that the command needs.
 */
@ApplicationScoped
class HostCommand {

  private static final int PATIENCE_SECONDS = 20;

  private final DockerClient docker;
  private final EngineSettings settings;

  HostCommand(DockerClient docker, EngineSettings settings) {
    this.docker = docker;
    this.settings = settings;
  }

  /**
   * @param output its last lines as one
   */
  record Result(int exit, String output) {}

  /**
   * @param role by which the container is known while it is there
   * @param rights that it has beside none
   */
  Result run(String role, String user, HostConfig rights, String... command) {
    String container =
        docker
            .createContainerCmd(settings.firewallImage())
            .withLabels(Map.of(Labels.INSTANCE, settings.instance(), Labels.ROLE, role))
            .withUser(user)
            .withEntrypoint(command)
            .withHostConfig(
                rights
                    .withNetworkMode("host")
                    .withCapDrop(Capability.ALL)
                    .withReadonlyRootfs(true)
                    .withMemory(64L * 1024 * 1024)
                    .withPidsLimit(16L))
            .exec()
            .getId();
    try {
      docker.startContainerCmd(container).exec();
      int exit =
          docker
              .waitContainerCmd(container)
              .start()
              .awaitStatusCode(PATIENCE_SECONDS, TimeUnit.SECONDS);
      List<String> output = ContainerOutput.lastLines(docker, container);
      return new Result(exit, String.join(" ", output).strip());
    } finally {
      docker.removeContainerCmd(container).withForce(true).exec();
    }
  }
}
