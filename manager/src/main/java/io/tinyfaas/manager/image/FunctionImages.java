package io.tinyfaas.manager.image;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.ConflictException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.Image;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.engine.EngineSettings;
import io.tinyfaas.manager.engine.Labels;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.runtime.BuildRoom;
import io.tinyfaas.manager.runtime.RuntimeImage;
import io.tinyfaas.manager.runtime.Runtimes;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.store.FunctionVersion;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

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

  private static final int TAG_DIGITS = 16;

  private static final String UNTAGGED = "<none>:<none>";

  private final DockerClient docker;
  private final EngineSettings settings;
  private final BuildContainers containers;
  private final Runtimes runtimes;
  private final FunctionStore store;
  private final BuildRoom room;

  FunctionImages(
      DockerClient docker,
      EngineSettings settings,
      BuildContainers containers,
      Runtimes runtimes,
      FunctionStore store,
      BuildRoom room) {
    this.docker = docker;
    this.settings = settings;
    this.containers = containers;
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
      RuntimeImage runtime = runtimes.requireBuilt(version.spec().runtime());
      try (FunctionArchive archive = FunctionArchive.open(store.archive(version))) {
        Optional<RuntimeImage.Build> step = runtime.buildFor(archive);
        if (step.isEmpty()) {
          make(version, runtime, container -> containers.copy(archive, container));
        } else {
          // Before anything is made that would be there while it waits.
          try (var _ = room.take(settings.buildTimeout())) {
            make(
                version,
                runtime,
                container ->
                    containers.copyBuilt(
                        version.function(), runtime, step.get(), archive, container));
          }
        }
      }
    }
  }

  /**
   * @param files puts the function's files into the container
   */
  private void make(FunctionVersion version, RuntimeImage runtime, Consumer<String> files) {
    String container = null;
    try {
      container = containers.create(version.function(), runtime);
      files.accept(container);
      docker
          .commitCmd(container)
          .withRepository(repository())
          .withTag(reference(version).substring(repository().length() + 1))
          .withLabels(Labels.ownOnly(Labels.of(settings.instance(), version.function(), "image")))
          .withPause(false)
          .exec();
    } finally {
      containers.remove(container);
    }
  }

  /**
   * Removes the function's images that are not among these references, and containers of builds
   * that could not be removed when they ended. No build of the function may be under way.
   *
   * @return false if one is left, which a container still has
   */
  public boolean retain(FunctionName function, Set<String> references) {
    containers.removeLeft(function);
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

  private String repository() {
    return settings.instance() + "/function";
  }
}
