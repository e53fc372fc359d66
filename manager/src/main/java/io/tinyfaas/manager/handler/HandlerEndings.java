package io.tinyfaas.manager.handler;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.exception.NotFoundException;
import io.tinyfaas.manager.engine.ContainerOutput;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;

/** How handlers ended, and why one does not run. */
@ApplicationScoped
public class HandlerEndings {

  private final DockerClient docker;

  HandlerEndings(DockerClient docker) {
    this.docker = docker;
  }

  /**
   * How a handler ended that does not run; empty if it does, or is gone. Once it is started again,
   * the engine no longer tells.
   */
  public Optional<Ending> ending(HandlerContainer handler) {
    try {
      InspectContainerResponse.ContainerState state = inspect(handler).getState();
      if (Boolean.TRUE.equals(state.getRunning())) {
        return Optional.empty();
      }
      return Optional.of(
          new Ending(
              Instant.parse(state.getFinishedAt()).truncatedTo(ChronoUnit.MILLIS),
              state.getExitCodeLong(),
              Boolean.TRUE.equals(state.getOOMKilled())));
    } catch (NotFoundException e) {
      return Optional.empty();
    }
  }

  /** Why a handler does not run, with what it printed last. */
  public ProblemException whyNotRunning(HandlerContainer handler, Duration waited) {
    List<String> output = ContainerOutput.lastLines(docker, handler.container());
    try {
      InspectContainerResponse.ContainerState state = inspect(handler).getState();
      if (Boolean.TRUE.equals(state.getRunning())) {
        return ProblemException.withOutput(
            ProblemType.START_FAILED,
            "The function did not become healthy within "
                + waited.toSeconds()
                + " s: its GET /health never answered 200. "
                + ContainerOutput.hint(output, "Look at its output")
                + " If it needs more time, TINYFAAS_START_TIMEOUT gives it.",
            output);
      }
      boolean outOfMemory =
          Boolean.TRUE.equals(state.getOOMKilled())
              || state.getExitCodeLong() != null && state.getExitCodeLong() == 137;
      return ProblemException.withOutput(
          ProblemType.START_FAILED,
          "The function ended with exit code "
              + state.getExitCodeLong()
              + " before it was healthy"
              + (outOfMemory ? "; it was killed and may need more memory" : "")
              + ". "
              + ContainerOutput.hint(output, "Its last lines are in the output"),
          output);
    } catch (NotFoundException e) {
      return ProblemException.withOutput(
          ProblemType.START_FAILED, "The function's container was removed.", output);
    }
  }

  private InspectContainerResponse inspect(HandlerContainer handler) {
    return docker.inspectContainerCmd(handler.container()).exec();
  }
}
