package io.tinyfaas.manager;

import static io.tinyfaas.harness.Docker.docker;
import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.manager.RealParts.ours;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.manager.archive.Zip;
import io.tinyfaas.manager.deploy.FunctionDeployer.Deployment;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Builds a runtime's image when a function needs it. */
@Tag("slow")
@QuarkusTest
@WithTestResource(RealParts.class)
class RuntimeBuildIT extends RuntimeOnAnEngine {

  @Test
  void shouldBuildOnceForAllFunctionsThatFirstUseIt() throws Exception {
    folder("RUN sleep 1 && cat /proc/sys/kernel/random/uuid > /opt/build");
    assertThat(isBuilt()).isFalse();
    assertThat(runtimes.require(RUNTIME).image()).isEmpty();

    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Deployment>> deployments =
          Stream.of("one", "two", "three").map(name -> threads.submit(() -> deploy(name))).toList();
      for (Future<Deployment> deployment : deployments) {
        assertThat(deployment.get().created()).isTrue();
      }
    }

    assertThat(isBuilt()).isTrue();
    assertThat(
            docker("image", "inspect", "-f", "{{index .Config.Labels \"tinyfaas.built\"}}", IMAGE))
        .containsExactly("manager");
    List<String> builds =
        Stream.of("one", "two", "three")
            .flatMap(
                name ->
                    docker(
                            "ps",
                            "-q",
                            "--filter",
                            ours(),
                            "--filter",
                            "label=tinyfaas.function=" + name)
                        .stream()
                        .map(id -> docker("exec", id, "cat", "/opt/build").getFirst()))
            .toList();
    assertThat(builds).hasSize(3);
    assertThat(builds.stream().distinct()).hasSize(1);
  }

  @Test
  void shouldTellWhyABuildFailedLeaveNothingAndTryAgain() throws Exception {
    folder("RUN echo a step that works", "RUN echo 'the mirror is away' && exit 7");

    ProblemException failure =
        catchThrowableOfType(ProblemException.class, () -> deploy("unlucky"));

    assertThat(failure.type()).isEqualTo(ProblemType.RUNTIME_UNAVAILABLE);
    assertThat(failure)
        .hasMessageContaining(RUNTIME)
        .hasMessageContaining("returned a non-zero code: 7");
    assertThat(failure.output()).contains("the mirror is away");
    assertThat(images()).isEmpty();
    assertThat(store.functions()).isEmpty();
    assertThat(docker("ps", "-aq", "--filter", "label=" + MARK)).isEmpty();

    folder("RUN echo all is well");
    assertThat(deploy("unlucky").created()).isTrue();
  }

  /** Each step less than it may, together more; and it would go on. */
  @Test
  void shouldEndABuildThatWritesMoreThanItMay() throws Exception {
    String step = "RUN head -c 40000000 /dev/zero > /opt/%s && sleep 3";
    folder(step.formatted("one"), step.formatted("two"), "RUN sleep 1000");

    ProblemException failure = catchThrowableOfType(ProblemException.class, () -> deploy("greedy"));

    assertThat(failure.type()).isEqualTo(ProblemType.RUNTIME_UNAVAILABLE);
    assertThat(failure).hasMessageContaining("TINYFAAS_MAX_RUNTIME_BUILD");
    eventually()
        .untilAsserted(
            () -> assertThat(docker("ps", "-aq", "--filter", "label=" + MARK)).isEmpty());
    assertThat(images()).isEmpty();
  }

  @Test
  void shouldLetTheEngineFetchNothingByItself() throws Exception {
    folder("ADD http://127.0.0.1:1/a /opt/");

    ProblemException failure = catchThrowableOfType(ProblemException.class, () -> deploy("fetch"));

    assertThat(failure.type()).isEqualTo(ProblemType.RUNTIME_UNAVAILABLE);
    assertThat(failure).hasMessageContaining("Dockerfile has an ADD");
    assertThat(isBuilt()).isFalse();
  }

  @Test
  void shouldBuildAgainForANewArchiveWhenTheFolderHasChanged() throws Exception {
    folder("RUN echo first > /opt/build");
    deploy("thing");
    String first = docker("image", "inspect", "-f", "{{.Id}}", IMAGE).getFirst();
    folder("RUN echo second > /opt/build");

    assertThat(deploy("thing").changed()).isFalse();
    assertThat(docker("image", "inspect", "-f", "{{.Id}}", IMAGE)).containsExactly(first);

    deploy("thing", Zip.saying("hello again"));
    String second = docker("image", "inspect", "-f", "{{.Id}}", IMAGE).getFirst();
    assertThat(second).isNotEqualTo(first);

    deploy("thing", Zip.saying("hello once more"));
    assertThat(docker("image", "inspect", "-f", "{{.Id}}", IMAGE)).containsExactly(second);
  }

  @Test
  void shouldRefuseAnArchiveItCannotRunBeforeItIsBuilt() throws Exception {
    folder("RUN echo never");
    Files.writeString(
        checkout.resolve("handler-runtime-it/runtime.labels"),
        "tinyfaas.runtime=" + RUNTIME + "\ntinyfaas.runtime.check=*.cob\n");

    ProblemException refusal = catchThrowableOfType(ProblemException.class, () -> deploy("other"));

    assertThat(refusal.type()).isEqualTo(ProblemType.INVALID_ARCHIVE);
    assertThat(isBuilt()).isFalse();
  }
}
