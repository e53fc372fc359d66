package io.tinyfaas.manager.image;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.exception.DockerClientException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.WaitResponse;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.engine.ContainerOutput;
import io.tinyfaas.manager.engine.EngineSettings;
import io.tinyfaas.manager.engine.Labels;
import io.tinyfaas.manager.engine.LongCalls;
import io.tinyfaas.manager.network.FunctionNetworks;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.runtime.BuildRoom;
import io.tinyfaas.manager.runtime.RuntimeImage;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Containers in which the images of functions are made: one that is never started, with the
 * function's files, and, where the runtime has a build command, one in which that runs, which may
 * be anybody's code, within limits of its own.
 */
@ApplicationScoped
class BuildContainers {

  private static final String ROLE = "build";

  private final DockerClient docker;
  private final DockerClient longCalls;
  private final EngineSettings settings;
  private final FunctionNetworks networks;
  private final BuildRoom room;

  BuildContainers(
      DockerClient docker,
      @LongCalls DockerClient longCalls,
      EngineSettings settings,
      FunctionNetworks networks,
      BuildRoom room) {
    this.docker = docker;
    this.longCalls = longCalls;
    this.settings = settings;
    this.networks = networks;
    this.room = room;
  }

  /** One to be committed. */
  String create(FunctionName function, RuntimeImage runtime) {
    return docker
        .createContainerCmd(runtime.image())
        .withLabels(Labels.ownOnly(labels(function)))
        .withHostConfig(HostConfig.newHostConfig().withNetworkMode("none"))
        .exec()
        .getId();
  }

  /** Puts the archive's files into the function's folder. */
  void copy(FunctionArchive archive, String container) {
    ArchiveCopy.into(docker, archive, container);
  }

  /**
   * The same of what the build command makes of them. Only what it leaves in the function's folder
   * is taken over.
   *
   * @throws ProblemException {@code BUILD_FAILED} with the command's last lines
   */
  void copyBuilt(
      FunctionName function,
      RuntimeImage runtime,
      RuntimeImage.Build step,
      FunctionArchive archive,
      String target) {
    String builder = null;
    String network = step.outbound() ? networks.joinBuild() : "none";
    try {
      builder =
          docker
              .createContainerCmd(runtime.image())
              .withLabels(Labels.ownOnly(labels(function)))
              .withUser("0:0")
              .withWorkingDir(HandlerHttp.FUNCTION_FOLDER)
              .withEntrypoint("/bin/sh", "-c", step.command())
              .withCmd()
              .withNetworkDisabled(!step.outbound())
              .withHostConfig(
                  HostConfig.newHostConfig()
                      .withNetworkMode(network)
                      .withMemory(BuildRoom.MEMORY)
                      .withMemorySwap(BuildRoom.MEMORY)
                      .withNanoCPUs(room.nanoCpus())
                      .withPidsLimit(BuildRoom.PROCESSES)
                      .withCapDrop(Capability.ALL)
                      .withCapAdd(Capability.CHOWN, Capability.FOWNER, Capability.DAC_OVERRIDE)
                      .withSecurityOpts(List.of("no-new-privileges"))
                      .withInit(true)
                      .withLogConfig(ContainerOutput.BOUNDED))
              .exec()
              .getId();
      copy(archive, builder);
      docker.startContainerCmd(builder).exec();
      awaitBuild(builder);
      takeOver(builder, target);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      try {
        remove(builder);
      } finally {
        if (step.outbound()) {
          networks.leaveBuild();
        }
      }
    }
  }

  /** What a build leaves in the function's folder, as far as it is no more than it may be. */
  private void takeOver(String builder, String target) throws IOException {
    try (InputStream built =
            docker.copyArchiveFromContainerCmd(builder, HandlerHttp.FUNCTION_FOLDER).exec();
        BoundedFiles files = new BoundedFiles(built, settings.maxBuild().asLongValue())) {
      try {
        docker
            .copyArchiveToContainerCmd(target)
            .withRemotePath("/")
            .withTarInputStream(files)
            .exec();
      } catch (RuntimeException e) {
        // Of a tar that is cut short the engine says so.
        throw files.areTooMany() ? tooLarge(builder) : e;
      }
      if (files.areTooMany()) {
        throw tooLarge(builder);
      }
    }
  }

  private static final class BoundedFiles extends FilterInputStream {

    private long left;

    BoundedFiles(InputStream files, long bytes) {
      super(files);
      this.left = bytes;
    }

    boolean areTooMany() {
      return left < 0;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int read = super.read(bytes, offset, length);
      left -= Math.max(0, read);
      if (left < 0) {
        throw new IOException("there is more than there may be");
      }
      return read;
    }
  }

  private ProblemException tooLarge(String builder) {
    return ProblemException.withOutput(
        ProblemType.BUILD_FAILED,
        "The build wrote more than "
            + settings.maxBuild().asLongValue()
            + " bytes and was ended: have it install less, or raise TINYFAAS_MAX_BUILD.",
        ContainerOutput.lastLines(docker, builder));
  }

  /** The end of a container, and its exit code. */
  private static final class Exit extends ResultCallback.Adapter<WaitResponse> {

    private final CompletableFuture<Integer> code = new CompletableFuture<>();

    @Override
    public void onNext(WaitResponse response) {
      code.complete(response.getStatusCode());
    }

    @Override
    public void onError(Throwable failure) {
      code.completeExceptionally(failure);
      super.onError(failure);
    }

    @Override
    public void onComplete() {
      code.completeExceptionally(
          new DockerClientException("the engine does not say how the build ended"));
      super.onComplete();
    }

    /** Empty if it has not ended within this time. */
    OptionalInt within(Duration time) {
      try {
        return OptionalInt.of(code.get(time.toMillis(), TimeUnit.MILLISECONDS));
      } catch (TimeoutException e) {
        return OptionalInt.empty();
      } catch (ExecutionException e) {
        throw e.getCause() instanceof RuntimeException cause
            ? cause
            : new DockerClientException("waiting for a build failed", e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while waiting for a build", e);
      }
    }
  }

  /**
   * @return the exit code
   */
  private int awaitExit(String builder) throws IOException {
    long began = System.nanoTime();
    try (Exit exit = longCalls.waitContainerCmd(builder).exec(new Exit())) {
      OptionalInt code = exit.within(BuildRoom.LOOK_INTERVAL);
      while (code.isEmpty()) {
        if (System.nanoTime() - began > settings.buildTimeout().toNanos()) {
          List<String> output = ContainerOutput.lastLines(docker, builder);
          throw ProblemException.withOutput(
              ProblemType.BUILD_FAILED,
              "The build did not end within "
                  + settings.buildTimeout().toSeconds()
                  + " s and was stopped. "
                  + ContainerOutput.hint(output, "Its last lines are in the output"),
              output);
        }
        if (room.written(builder) > settings.maxBuild().asLongValue()) {
          throw tooLarge(builder);
        }
        code = exit.within(BuildRoom.LOOK_INTERVAL);
      }
      return code.getAsInt();
    }
  }

  private void awaitBuild(String builder) throws IOException {
    int exit = awaitExit(builder);
    if (exit != 0) {
      List<String> output = ContainerOutput.lastLines(docker, builder);
      throw ProblemException.withOutput(
          ProblemType.BUILD_FAILED,
          "The build command ended with exit code "
              + exit
              + (exit == 137 ? " (killed: it may need more than 768 MiB of memory)" : "")
              + ". "
              + ContainerOutput.hint(output, "Mend what its output says and deploy again"),
          output);
    }
  }

  /**
   * @param container null if none was made
   */
  void remove(String container) {
    if (container != null) {
      try {
        docker.removeContainerCmd(container).withForce(true).withRemoveVolumes(true).exec();
      } catch (NotFoundException e) {
        // Already gone.
      }
    }
  }

  /** Those that could not be removed when they ended; none of the function may be in use. */
  void removeLeft(FunctionName function) {
    docker
        .listContainersCmd()
        .withShowAll(true)
        .withLabelFilter(labels(function))
        .exec()
        .forEach(container -> remove(container.getId()));
  }

  private Map<String, String> labels(FunctionName function) {
    return Labels.of(settings.instance(), function, ROLE);
  }
}
