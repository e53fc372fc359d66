package io.tinyfaas.manager.docker;

import com.github.dockerjava.api.DockerClient;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.stream.Collectors;

/** The runtimes on this box: every image that is called and labelled as one. */
@ApplicationScoped
public class Runtimes {

  private final DockerClient docker;
  private final EngineSettings settings;

  Runtimes(DockerClient docker, EngineSettings settings) {
    this.docker = docker;
    this.settings = settings;
  }

  /**
   * @throws ProblemException {@code UNKNOWN_RUNTIME}, naming those that there are
   */
  public Runtime require(String name) {
    List<Runtime> all = all();
    Runtime found =
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
                            + all.stream()
                                .map(Runtime::name)
                                .distinct()
                                .sorted()
                                .collect(Collectors.joining(", "))
                            + "."));
    found.require(settings.handlerTransport());
    return found;
  }

  private List<Runtime> all() {
    return docker
        .listImagesCmd()
        .withReferenceFilter(settings.runtimes())
        .withLabelFilter(Labels.RUNTIME)
        .exec()
        .stream()
        .map(image -> Runtime.describedBy(image.getId(), image.getLabels()))
        .toList();
  }
}
