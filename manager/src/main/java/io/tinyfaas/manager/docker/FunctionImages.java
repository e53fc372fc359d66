package io.tinyfaas.manager.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.ConflictException;
import com.github.dockerjava.api.exception.DockerClientException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.Image;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.deploy.FunctionArchive;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.store.FunctionVersion;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * The images of functions: the runtime's image and the archive's files on top.
 *
 * <p>They are committed from a container that is never started, not built from a Dockerfile: twice
 * as fast, nothing but one layer is left behind, it works the same on every engine, and a runtime's
 * build command, which may run anybody's code, runs in a container with limits of its own. Only
 * what that command leaves in the function's folder is taken over.
 */
@ApplicationScoped
public class FunctionImages {

  private static final int PIPE_BYTES = 64 * 1024;
  private static final int TAG_DIGITS = 16;
  private static final long BUILD_MEMORY = 768L * 1024 * 1024;
  private static final long BUILD_PROCESSES = 512;

  /** Each may take {@link #BUILD_MEMORY}; more at once would only make each slower. */
  private static final int PARALLEL_BUILDS = 2;

  /** The role of containers in which images are made. */
  private static final String BUILD = "build";

  private static final String UNTAGGED = "<none>:<none>";

  private final DockerClient docker;
  private final DockerClient longCalls;
  private final EngineSettings settings;
  private final FunctionNetworks networks;
  private final Runtimes runtimes;
  private final FunctionStore store;

  private final Semaphore builds = new Semaphore(PARALLEL_BUILDS, true);

  FunctionImages(
      DockerClient docker,
      @LongCalls DockerClient longCalls,
      EngineSettings settings,
      FunctionNetworks networks,
      Runtimes runtimes,
      FunctionStore store) {
    this.docker = docker;
    this.longCalls = longCalls;
    this.settings = settings;
    this.networks = networks;
    this.runtimes = runtimes;
    this.store = store;
  }

  /** The reference of the version's image, which may not exist. */
  public String reference(FunctionVersion version) {
    return repository()
        + ":"
        + version.function()
        + "-"
        + version.archiveDigest().substring(0, TAG_DIGITS)
        + "-"
        + version.spec().runtime();
  }

  /**
   * Makes the version's image if it is not there: the first time, or when it was pruned or the
   * engine reset, from the store.
   *
   * @throws ProblemException {@code BUILD_FAILED} with the build command's last lines
   */
  public void ensure(FunctionVersion version) {
    try {
      docker.inspectImageCmd(reference(version)).exec();
    } catch (NotFoundException e) {
      Runtime runtime = runtimes.requireBuilt(version.spec().runtime());
      try (FunctionArchive archive = FunctionArchive.open(store.archive(version))) {
        build(version, runtime, archive);
      }
    }
  }

  private void build(FunctionVersion version, Runtime runtime, FunctionArchive archive) {
    String container = null;
    try {
      container = create(version.function(), runtime);
      var step = runtime.buildFor(archive);
      if (step.isPresent()) {
        builds.acquireUninterruptibly();
        try {
          copyBuilt(version.function(), runtime, step.get(), archive, container);
        } finally {
          builds.release();
        }
      } else {
        copy(archive, container);
      }
      docker
          .commitCmd(container)
          .withRepository(repository())
          .withTag(reference(version).substring(repository().length() + 1))
          .withLabels(labels(version.function(), "image"))
          .withPause(false)
          .exec();
    } finally {
      remove(container);
    }
  }

  /**
   * Removes the function's images that are not among these references, and containers of builds
   * that could not be removed when they ended. No build of the function may be under way.
   */
  public void retain(FunctionName function, Set<String> references) {
    docker
        .listContainersCmd()
        .withShowAll(true)
        .withLabelFilter(labels(function, BUILD))
        .exec()
        .forEach(container -> remove(container.getId()));
    for (Image image : images(function)) {
      List<String> tags =
          image.getRepoTags() == null
              ? List.of()
              : Stream.of(image.getRepoTags()).filter(tag -> !tag.equals(UNTAGGED)).toList();
      List<String> obsolete =
          tags.stream()
              .filter(tag -> tag.startsWith(repository() + ":") && !references.contains(tag))
              .toList();
      if (tags.size() <= 1 && obsolete.equals(tags)) {
        // By the tag, the engine may take only the tag, while a container of it is just ending.
        removeImage(image.getId());
      } else {
        obsolete.forEach(this::removeImage);
      }
    }
  }

  /** Functions of which the engine holds an image that is not among these references. */
  public Set<FunctionName> functionsBesides(Set<String> references) {
    return docker
        .listImagesCmd()
        .withFilter("label", List.of(Labels.INSTANCE + "=" + settings.instance()))
        .exec()
        .stream()
        .filter(
            image ->
                image.getRepoTags() == null
                    || !references.containsAll(List.of(image.getRepoTags())))
        .map(image -> image.getLabels().get(Labels.FUNCTION))
        .filter(FunctionName::isValid)
        .map(FunctionName::new)
        .collect(Collectors.toSet());
  }

  private void removeImage(String image) {
    try {
      docker.removeImageCmd(image).exec();
    } catch (NotFoundException | ConflictException e) {
      // Gone, or a handler that is being stopped still has it: the next look removes it.
    }
  }

  private void copyBuilt(
      FunctionName function,
      Runtime runtime,
      Runtime.Build step,
      FunctionArchive archive,
      String target) {
    String builder = null;
    String network = step.outbound() ? networks.joinBuild() : "none";
    try {
      builder =
          docker
              .createContainerCmd(runtime.image())
              .withLabels(labels(function, BUILD))
              .withUser("0:0")
              .withWorkingDir(HandlerHttp.FUNCTION_FOLDER)
              .withEntrypoint("/bin/sh", "-c", step.command())
              .withCmd()
              .withNetworkDisabled(!step.outbound())
              .withHostConfig(
                  HostConfig.newHostConfig()
                      .withNetworkMode(network)
                      .withMemory(BUILD_MEMORY)
                      .withMemorySwap(BUILD_MEMORY)
                      .withPidsLimit(BUILD_PROCESSES)
                      .withCapDrop(Capability.ALL)
                      .withCapAdd(Capability.CHOWN, Capability.FOWNER, Capability.DAC_OVERRIDE)
                      .withSecurityOpts(List.of("no-new-privileges"))
                      .withInit(true)
                      .withLogConfig(HandlerContainers.BOUNDED_LOG))
              .exec()
              .getId();
      copy(archive, builder);
      docker.startContainerCmd(builder).exec();
      awaitBuild(builder);
      try (InputStream built =
          docker.copyArchiveFromContainerCmd(builder, HandlerHttp.FUNCTION_FOLDER).exec()) {
        docker
            .copyArchiveToContainerCmd(target)
            .withRemotePath("/")
            .withTarInputStream(built)
            .exec();
      }
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

  private void awaitBuild(String builder) {
    int exit;
    try {
      exit =
          longCalls
              .waitContainerCmd(builder)
              .start()
              .awaitStatusCode(settings.buildTimeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (DockerClientException e) {
      List<String> output = ContainerOutput.lastLines(docker, builder);
      throw ProblemException.withOutput(
          ProblemType.BUILD_FAILED,
          "The build did not end within "
              + settings.buildTimeout().toSeconds()
              + " s and was stopped. "
              + ContainerOutput.hint(output, "Its last lines are in the output"),
          output);
    }
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

  private String create(FunctionName function, Runtime runtime) {
    return docker
        .createContainerCmd(runtime.image())
        .withLabels(labels(function, BUILD))
        .withHostConfig(HostConfig.newHostConfig().withNetworkMode("none"))
        .exec()
        .getId();
  }

  /** Streams the archive's files, which may be larger than this process' memory. */
  private void copy(FunctionArchive archive, String container) {
    try (PipedInputStream tar = new PipedInputStream(PIPE_BYTES)) {
      PipedOutputStream pipe = new PipedOutputStream(tar);
      Thread writer =
          Thread.ofVirtual()
              .name("archive")
              .start(
                  () -> {
                    try (TarArchiveOutputStream out = new TarArchiveOutputStream(pipe, "UTF-8")) {
                      out.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
                      archive.writeTo(out, HandlerHttp.FUNCTION_FOLDER.substring(1) + "/");
                    } catch (IOException e) {
                      // The reader has gone, or finds the tar cut short: it fails with the cause.
                    }
                  });
      docker
          .copyArchiveToContainerCmd(container)
          .withRemotePath("/")
          .withTarInputStream(tar)
          .exec();
      writer.join();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while copying a function", e);
    }
  }

  private void remove(String container) {
    if (container != null) {
      try {
        docker.removeContainerCmd(container).withForce(true).withRemoveVolumes(true).exec();
      } catch (NotFoundException e) {
        // Already gone.
      }
    }
  }

  private List<Image> images(FunctionName function) {
    return docker
        .listImagesCmd()
        .withFilter(
            "label",
            List.of(
                Labels.INSTANCE + "=" + settings.instance(),
                Labels.FUNCTION + "=" + function.value()))
        .exec();
  }

  private Map<String, String> labels(FunctionName function, String role) {
    return Labels.of(settings.instance(), function, role);
  }

  private String repository() {
    return settings.instance() + "/function";
  }
}
