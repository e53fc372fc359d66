package io.tinyfaas.manager.runtime;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.exception.ConflictException;
import com.github.dockerjava.api.exception.DockerClientException;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.BuildResponseItem;
import com.github.dockerjava.api.model.ResponseItem;
import io.tinyfaas.manager.engine.EngineSettings;
import io.tinyfaas.manager.engine.Labels;
import io.tinyfaas.manager.engine.LongCalls;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jboss.logging.Logger;

/**
 * Builds a runtime's image with the engine's own builder, which needs no client beside this one. It
 * keeps an image of every step, which are removed whatever the outcome. When nobody reads what it
 * says any more, it ends the build and removes the container of the step.
 */
@ApplicationScoped
class RuntimeImageBuilder {

  private static final Logger LOG = Logger.getLogger(RuntimeImageBuilder.class);

  private static final Duration REMOVAL_TIME = Duration.ofSeconds(10);
  private static final Duration REMOVAL_POLL = Duration.ofMillis(100);

  private final DockerClient docker;
  private final DockerClient longCalls;
  private final EngineSettings settings;
  private final BuildRoom room;

  RuntimeImageBuilder(
      DockerClient docker,
      @LongCalls DockerClient longCalls,
      EngineSettings settings,
      BuildRoom room) {
    this.docker = docker;
    this.longCalls = longCalls;
    this.settings = settings;
    this.room = room;
  }

  /**
   * @param output receives what the build prints
   * @throws ProblemException RUNTIME_UNAVAILABLE; then nothing is left of the build
   */
  void build(RuntimeFolder folder, BuildOutput output) {
    folder.requireNoAdd();
    Reading reading = new Reading(output);
    try (reading) {
      longCalls
          .buildImageCmd()
          .withTarInputStream(context(folder))
          .withDockerfilePath(folder.dockerfile())
          .withTags(Set.of(settings.runtimes().replace("*", folder.runtime().name())))
          .withLabels(labels(folder))
          .withNoCache(true)
          .withRemove(true)
          .withForcerm(true)
          .withMemory(BuildRoom.MEMORY)
          .withMemswap(BuildRoom.MEMORY)
          .withCpushares(BuildRoom.CPU_SHARES)
          .exec(reading);
      awaitEnd(reading, output)
          .ifPresent(
              reason -> {
                throw failed(folder, reason, output.lastLines());
              });
    } catch (IOException e) {
      throw failed(folder, e.getMessage(), output.lastLines());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while building a runtime", e);
    } finally {
      output.container().ifPresent(this::awaitRemoval);
      output.images().forEach(this::removeIfUnnamed);
    }
  }

  /**
   * @return why there is no image
   */
  private Optional<String> awaitEnd(Reading reading, BuildOutput output)
      throws InterruptedException {
    long began = System.nanoTime();
    Map<String, Long> written = new HashMap<>();
    while (!reading.endsWithin(BuildRoom.LOOK_INTERVAL)) {
      if (System.nanoTime() - began > settings.runtimeBuildTimeout().toNanos()) {
        return Optional.of(
            "it did not end within " + settings.runtimeBuildTimeout().toMinutes() + " min");
      }
      output.container().ifPresent(step -> written.merge(step, room.written(step), Math::max));
      if (written.values().stream().mapToLong(Long::longValue).sum()
          > settings.maxRuntimeBuild().asLongValue()) {
        return Optional.of(
            "it wrote more than "
                + settings.maxRuntimeBuild().asLongValue()
                + " bytes and was ended (TINYFAAS_MAX_RUNTIME_BUILD of the manager)");
      }
    }
    return reading.failure();
  }

  private static ByteArrayInputStream context(RuntimeFolder folder) throws IOException {
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    folder.writeTo(tar);
    return new ByteArrayInputStream(tar.toByteArray());
  }

  private static Map<String, String> labels(RuntimeFolder folder) {
    Map<String, String> labels = new HashMap<>(folder.labels());
    labels.put(Labels.RUNTIME_DIGEST, folder.digest());
    labels.put(Labels.BUILT, "manager");
    return labels;
  }

  private static ProblemException failed(RuntimeFolder folder, String reason, List<String> output) {
    return ProblemException.withOutput(
        ProblemType.RUNTIME_UNAVAILABLE,
        "The image of the runtime "
            + folder.runtime().name()
            + ", which this box builds from "
            + folder.folder()
            + " when it is first used, could not be built: "
            + reason
            + ". Its last lines are in the output. Building needs the internet; try again, or build"
            + " it elsewhere and load it (docker save, docker load).",
        output);
  }

  /**
   * Of the last step's container, which holds images: the engine removes it, too, when it ends a
   * build, but does not say when.
   */
  private void awaitRemoval(String container) {
    long began = System.nanoTime();
    try {
      while (System.nanoTime() - began < REMOVAL_TIME.toNanos()) {
        try {
          docker.removeContainerCmd(container).withForce(true).exec();
        } catch (ConflictException e) {
          Thread.sleep(REMOVAL_POLL);
        }
      }
    } catch (NotFoundException e) {
      // As it should be.
    } catch (DockerException e) {
      LOG.warnf(
          "event=build-not-removed reason=\"%s\"", ProblemException.ofFailure(e).getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What a later step or a tag still needs stays: the engine refuses, or it has a name. */
  private void removeIfUnnamed(String image) {
    try {
      List<String> tags = docker.inspectImageCmd(image).exec().getRepoTags();
      if (tags == null || tags.isEmpty()) {
        docker.removeImageCmd(image).exec();
      }
    } catch (NotFoundException | ConflictException e) {
      // Gone with the one that came after it, or part of an image that stays.
    }
  }

  private static final class Reading extends ResultCallback.Adapter<BuildResponseItem> {

    private final BuildOutput output;
    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private volatile String failure;

    Reading(BuildOutput output) {
      this.output = output;
    }

    @Override
    public void onNext(BuildResponseItem item) {
      if (item.getStream() != null) {
        output.add(item.getStream());
      }
      if (item.isErrorIndicated()) {
        ResponseItem.ErrorDetail detail = item.getErrorDetail();
        failure = detail == null ? "the engine does not say why" : detail.getMessage();
      }
    }

    @Override
    public void onComplete() {
      end.complete(null);
      super.onComplete();
    }

    @Override
    public void onError(Throwable failure) {
      end.completeExceptionally(failure);
      super.onError(failure);
    }

    /** Unlike {@link #awaitCompletion}, which ends the build when the time is over. */
    boolean endsWithin(Duration time) throws InterruptedException {
      try {
        end.get(time.toMillis(), TimeUnit.MILLISECONDS);
        return true;
      } catch (TimeoutException e) {
        return false;
      } catch (ExecutionException e) {
        throw e.getCause() instanceof RuntimeException cause
            ? cause
            : new DockerClientException("reading a build's output failed", e.getCause());
      }
    }

    Optional<String> failure() {
      return Optional.ofNullable(failure);
    }
  }
}
