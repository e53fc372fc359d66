package io.tinyfaas.manager.runtime;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.Image;
import io.tinyfaas.manager.engine.EngineSettings;
import io.tinyfaas.manager.engine.Labels;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * The runtimes on this box: every image that is called and labelled as one, and every folder that
 * such an image can be built from.
 */
@ApplicationScoped
public class Runtimes {

  private static final Logger LOG = Logger.getLogger(Runtimes.class);

  private final DockerClient docker;
  private final EngineSettings settings;
  private final RuntimeFolders folders;
  private final RuntimeBuilds builds;

  Runtimes(
      DockerClient docker, EngineSettings settings, RuntimeFolders folders, RuntimeBuilds builds) {
    this.docker = docker;
    this.settings = settings;
    this.folders = folders;
    this.builds = builds;
  }

  /** All, by name; what has no image yet is built the first time that a function uses it. */
  public List<RuntimeImage> list() {
    TreeMap<String, RuntimeImage> all = new TreeMap<>();
    folders.all().forEach(folder -> all.put(folder.runtime().name(), folder.runtime()));
    images().stream()
        .flatMap(Runtimes::describe)
        .forEach(runtime -> all.put(runtime.name(), runtime));
    return List.copyOf(all.values());
  }

  /**
   * What is known of a runtime without building it.
   *
   * @throws ProblemException {@code UNKNOWN_RUNTIME}, naming those that there are
   */
  public RuntimeImage require(String name) {
    List<RuntimeImage> all = list();
    RuntimeImage found =
        all.stream()
            .filter(runtime -> runtime.isCalled(name))
            .findFirst()
            .orElseThrow(
                () ->
                    ProblemException.ofField(
                        ProblemType.UNKNOWN_RUNTIME,
                        "runtime",
                        "There is no runtime "
                            + name
                            + " on this box; there is "
                            + all.stream().map(RuntimeImage::name).collect(Collectors.joining(", "))
                            + "."));
    found.require(settings.handlerTransport());
    return found;
  }

  /**
   * The runtime with its image, which is built if it is not there, or was built from a folder that
   * has changed since.
   *
   * @throws ProblemException {@code UNKNOWN_RUNTIME}, {@code RUNTIME_UNAVAILABLE}
   */
  public RuntimeImage requireBuilt(String name) {
    RuntimeImage runtime = require(name);
    Optional<RuntimeFolder> folder = folders.find(runtime.name());
    if (folder.isPresent() && mustBeBuilt(folder.get())) {
      builds.await(folder.get(), () -> mustBeBuilt(folder.get()));
      return require(name);
    }
    return runtime;
  }

  /** An image that somebody else has built is taken as it is. */
  private boolean mustBeBuilt(RuntimeFolder folder) {
    RuntimeImage runtime = require(folder.runtime().name());
    return runtime.image().isEmpty()
        || images().stream()
            .filter(image -> image.getId().equals(runtime.image()))
            .map(image -> image.getLabels().get(Labels.RUNTIME_DIGEST))
            .anyMatch(digest -> digest != null && !digest.equals(folder.digest()));
  }

  /** One that describes itself as nothing that can be used is logged and left out. */
  private static Stream<RuntimeImage> describe(Image image) {
    try {
      return Stream.of(RuntimeImage.describedBy(image.getId(), image.getLabels()));
    } catch (IllegalArgumentException e) {
      LOG.warnf(
          "event=runtime-image image=%s outcome=ignored reason=\"%s\"",
          image.getId(), e.getMessage());
      return Stream.empty();
    }
  }

  private List<Image> images() {
    return docker
        .listImagesCmd()
        .withReferenceFilter(settings.runtimes())
        .withLabelFilter(Labels.RUNTIME)
        .exec()
        .stream()
        // Of a function's image that somebody has called one it is empty.
        .filter(image -> !image.getLabels().get(Labels.RUNTIME).isBlank())
        .toList();
  }
}
