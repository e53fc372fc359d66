package io.tinyfaas.manager.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.exception.ConflictException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.BuildResponseItem;
import com.github.dockerjava.api.model.ResponseItem;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Builds a runtime's image with the engine's own builder, which needs no client beside this one. It
 * keeps an image of every step, which are removed whatever the outcome.
 */
@ApplicationScoped
class RuntimeImageBuilder {

  private final DockerClient docker;
  private final DockerClient longCalls;
  private final EngineSettings settings;

  RuntimeImageBuilder(
      DockerClient docker, @LongCalls DockerClient longCalls, EngineSettings settings) {
    this.docker = docker;
    this.longCalls = longCalls;
    this.settings = settings;
  }

  /**
   * @param output receives what the build prints
   * @throws ProblemException RUNTIME_UNAVAILABLE; then nothing is left of the build
   */
  void build(RuntimeFolder folder, BuildOutput output) {
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
      boolean ended =
          reading.awaitCompletion(settings.runtimeBuildTimeout().toMillis(), TimeUnit.MILLISECONDS);
      Optional<String> failure =
          ended
              ? reading.failure()
              : Optional.of(
                  "it did not end within " + settings.runtimeBuildTimeout().toMinutes() + " min");
      failure.ifPresent(
          reason -> {
            throw failed(folder, reason, output.lastLines());
          });
    } catch (IOException e) {
      throw failed(folder, e.getMessage(), output.lastLines());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while building a runtime", e);
    } finally {
      output.images().forEach(this::removeIfUnnamed);
    }
  }

  private static ByteArrayInputStream context(RuntimeFolder folder) throws IOException {
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    folder.writeTo(tar);
    return new ByteArrayInputStream(tar.toByteArray());
  }

  private static Map<String, String> labels(RuntimeFolder folder) {
    Map<String, String> labels = new HashMap<>(folder.labels());
    labels.put(Labels.RUNTIME_DIGEST, folder.digest());
    // What make removes once another image has its name.
    labels.put("tinyfaas.built", "manager");
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

    Optional<String> failure() {
      return Optional.ofNullable(failure);
    }
  }
}
