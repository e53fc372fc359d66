package io.tinyfaas.manager.engine;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.HostConfig;
import io.tinyfaas.manager.problem.ProblemException;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jboss.logging.Logger;

/**
 * Runs a command in the host's network, in a container that does nothing else and is gone at once,
 * so that the manager itself is neither there nor has the rights that the command needs.
 */
@ApplicationScoped
public class HostCommand {

  public static final long MEMORY = 64L * 1024 * 1024;

  public static final long PROCESSES = 16;

  private static final int PATIENCE_SECONDS = 20;

  private static final Logger LOG = Logger.getLogger(HostCommand.class);

  private final DockerClient docker;
  private final EngineSettings settings;

  /** One at a time, so that what is there between two of them is left. */
  private final ReentrantLock running = new ReentrantLock();

  /** Whether a container may be there: it could not be removed, or nobody said that it was made. */
  private volatile boolean left;

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
    running.lock();
    try {
      removeLeft();
      boolean before = left;
      left = true;
      String container = create(role, user, rights, command);
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
        left = !remove(container) || before;
      }
    } finally {
      running.unlock();
    }
  }

  private String create(String role, String user, HostConfig rights, String... command) {
    return docker
        .createContainerCmd(settings.firewallImage())
        .withLabels(Labels.ownOnly(Map.of(Labels.INSTANCE, settings.instance(), Labels.ROLE, role)))
        .withUser(user)
        .withEntrypoint(command)
        .withHostConfig(
            rights
                .withNetworkMode("host")
                .withCapDrop(Capability.ALL)
                .withReadonlyRootfs(true)
                .withMemory(MEMORY)
                .withPidsLimit(PROCESSES))
        .exec()
        .getId();
  }

  /** Removes what a command before has left, if one has; not while one runs. */
  public void removeLeft() {
    if (!left || !running.tryLock()) {
      return;
    }
    try {
      left =
          !docker
              .listContainersCmd()
              .withShowAll(true)
              .withLabelFilter(
                  List.of(
                      Labels.INSTANCE + "=" + settings.instance(),
                      Labels.ROLE + "=" + HostAddresses.ROLE))
              .exec()
              .stream()
              .map(found -> remove(found.getId()))
              .reduce(true, Boolean::logicalAnd);
    } catch (RuntimeException e) {
      LOG.warnf(
          "event=command-not-looked-for reason=\"%s\"", ProblemException.ofFailure(e).getMessage());
    } finally {
      running.unlock();
    }
  }

  /**
   * What fails here is done later: it hides no result.
   *
   * @return whether it is gone
   */
  private boolean remove(String container) {
    try {
      docker.removeContainerCmd(container).withForce(true).exec();
      return true;
    } catch (NotFoundException e) {
      return true;
    } catch (RuntimeException e) {
      LOG.warnf(
          "event=command-not-removed reason=\"%s\"", ProblemException.ofFailure(e).getMessage());
      return false;
    }
  }
}
