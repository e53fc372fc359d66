package io.tinyfaas.manager.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.exception.ConflictException;
import com.github.dockerjava.api.exception.DockerClientException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.Image;
import com.github.dockerjava.api.model.WaitResponse;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.deploy.FunctionArchive;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.store.FunctionVersion;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
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

  /** How often is looked at what a build has written, which no engine bounds. */
  private static final Duration LOOK_INTERVAL = Duration.ofSeconds(1);

  /** The role of containers in which images are made. */
  private static final String BUILD = "build";

  private static final String UNTAGGED = "<none>:<none>";

  private final DockerClient docker;
  private final DockerClient longCalls;
  private final EngineSettings settings;
  private final FunctionNetworks networks;
  private final Runtimes runtimes;
  private final FunctionStore store;
  private final BuildRoom room;

  FunctionImages(
      DockerClient docker,
      @LongCalls DockerClient longCalls,
      EngineSettings settings,
      FunctionNetworks networks,
      Runtimes runtimes,
      FunctionStore store,
      BuildRoom room) {
    this.docker = docker;
    this.longCalls = longCalls;
    this.settings = settings;
    this.networks = networks;
    this.runtimes = runtimes;
    this.store = store;
    this.room = room;
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
        Optional<Runtime.Build> step = runtime.buildFor(archive);
        if (step.isEmpty()) {
          make(version, runtime, container -> copy(archive, container));
        } else {
          // Before anything is made that would be there while it waits.
          try (var _ = room.take(settings.buildTimeout())) {
            make(
                version,
                runtime,
                container ->
                    copyBuilt(version.function(), runtime, step.get(), archive, container));
          }
        }
      }
    }
  }

  /**
   * @param files puts the function's files into the container
   */
  private void make(FunctionVersion version, Runtime runtime, Consumer<String> files) {
    String container = null;
    try {
      container = create(version.function(), runtime);
      files.accept(container);
      docker
          .commitCmd(container)
          .withRepository(repository())
          .withTag(reference(version).substring(repository().length() + 1))
          .withLabels(Labels.notOfCompose(labels(version.function(), "image")))
          .withPause(false)
          .exec();
    } finally {
      remove(container);
    }
  }

  /**
   * Removes the function's images that are not among these references, and containers of builds
   * that could not be removed when they ended. No build of the function may be under way.
   *
   * @return false if one is left, which a container still has
   */
  public boolean retain(FunctionName function, Set<String> references) {
    docker
        .listContainersCmd()
        .withShowAll(true)
        .withLabelFilter(labels(function, BUILD))
        .exec()
        .forEach(container -> remove(container.getId()));
    boolean done = true;
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
        done &= removeImage(image.getId());
      } else {
        for (String tag : obsolete) {
          done &= removeImage(tag);
        }
      }
    }
    return done;
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

  /**
   * @return false if a container still has it, such as a handler that is being stopped
   */
  private boolean removeImage(String image) {
    try {
      docker.removeImageCmd(image).exec();
      return true;
    } catch (NotFoundException e) {
      return true;
    } catch (ConflictException e) {
      return false;
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
              .withLabels(Labels.notOfCompose(labels(function, BUILD)))
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
                      .withLogConfig(HandlerContainers.BOUNDED_LOG))
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
      OptionalInt code = exit.within(LOOK_INTERVAL);
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
        if (written(builder) > settings.maxBuild().asLongValue()) {
          throw tooLarge(builder);
        }
        code = exit.within(LOOK_INTERVAL);
      }
      return code.getAsInt();
    }
  }

  /** In bytes, as far as the engine can tell while files come and go. */
  private long written(String builder) {
    try {
      Long size = docker.inspectContainerCmd(builder).withSize(true).exec().getSizeRw();
      return size == null ? 0 : size;
    } catch (RuntimeException e) {
      return 0;
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

  private String create(FunctionName function, Runtime runtime) {
    return docker
        .createContainerCmd(runtime.image())
        .withLabels(Labels.notOfCompose(labels(function, BUILD)))
        .withHostConfig(HostConfig.newHostConfig().withNetworkMode("none"))
        .exec()
        .getId();
  }

  /** Streams the archive's files, which may be larger than this process' memory. */
  private void copy(FunctionArchive archive, String container) {
    AtomicReference<RuntimeException> unread = new AtomicReference<>();
    try (PipedInputStream tar = new PipedInputStream(PIPE_BYTES)) {
      EnginesEnd pipe = new EnginesEnd(new PipedOutputStream(tar));
      Thread writer = Thread.ofVirtual().name("archive").start(() -> write(archive, pipe, unread));
      try {
        docker
            .copyArchiveToContainerCmd(container)
            .withRemotePath("/")
            .withTarInputStream(tar)
            .exec();
        writer.join();
      } catch (RuntimeException e) {
        // Of a tar that is cut short the engine says so, but not why.
        throw unread.get() == null ? e : unread.get();
      }
      if (unread.get() != null) {
        throw unread.get();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while copying a function", e);
    }
  }

  /** A tar that ends early may be a whole one, of fewer files: its end says nothing. */
  private static void write(
      FunctionArchive archive, EnginesEnd pipe, AtomicReference<RuntimeException> unread) {
    try (TarArchiveOutputStream out = new TarArchiveOutputStream(pipe, "UTF-8")) {
      try {
        out.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
        archive.writeTo(out, HandlerHttp.FUNCTION_FOLDER.substring(1) + "/");
      } catch (UncheckedIOException e) {
        if (!pipe.isClosed()) {
          unread.set(
              ProblemException.of(
                  ProblemType.INVALID_ARCHIVE,
                  "The function's archive is damaged (" + e.getMessage() + "): deploy it again."));
        }
      } catch (RuntimeException e) {
        unread.set(e);
      }
    } catch (IOException e) {
      // The engine has gone, and its failure is told, or what could not be read is.
    }
  }

  /** Where a tar goes: tells an engine that reads no more from files that cannot be read. */
  private static final class EnginesEnd extends FilterOutputStream {

    private boolean closed;

    EnginesEnd(OutputStream engine) {
      super(engine);
    }

    boolean isClosed() {
      return closed;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        out.write(bytes, offset, length);
      } catch (IOException e) {
        closed = true;
        throw e;
      }
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
