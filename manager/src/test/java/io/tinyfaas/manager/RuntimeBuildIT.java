package io.tinyfaas.manager;

import static io.tinyfaas.manager.RealParts.docker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.deploy.FunctionArchive;
import io.tinyfaas.manager.deploy.FunctionDeployer;
import io.tinyfaas.manager.deploy.FunctionDeployer.Deployment;
import io.tinyfaas.manager.deploy.Zip;
import io.tinyfaas.manager.docker.Runtimes;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.store.Specs;
import io.vertx.core.Vertx;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Runtimes that are folders until a function uses them, on a real engine. */
@QuarkusTest
@TestProfile(RuntimeBuildIT.ImpatientCallers.class)
@WithTestResource(RealParts.class)
class RuntimeBuildIT {

  private static final String RUNTIME = "it-" + ProcessHandle.current().pid();
  private static final String IMAGE = "tinyfaas/runtime-" + RUNTIME + ":latest";
  private static final Duration SOON = Duration.ofSeconds(20);

  /** Also on what the steps of the build leave. */
  private static final String MARK = "tinyfaas-it=" + RUNTIME;

  @Inject FunctionDeployer deployer;
  @Inject FunctionStore store;
  @Inject Runtimes runtimes;
  @Inject Vertx vertx;

  @ConfigProperty(name = "tinyfaas.broker-port")
  int brokerPort;

  @ConfigProperty(name = "tinyfaas.checkout")
  Path checkout;

  private PlayedGateway gateway;

  public static class ImpatientCallers implements QuarkusTestProfile {
    @Override
    public Map<String, String> getConfigOverrides() {
      return Map.of("tinyfaas.runtime-wait", "4s");
    }
  }

  @BeforeEach
  void connectGateway() throws Exception {
    gateway = new PlayedGateway(vertx, brokerPort);
    gateway.awaitManager(deployer);
  }

  @AfterEach
  void removeAll() throws Exception {
    store.functions().forEach(deployer::delete);
    gateway.disconnect();
    images().forEach(image -> docker("image", "rm", "--force", image));
  }

  /** With an image or without a name, of the present build and of earlier ones. */
  private static List<String> images() {
    return docker("image", "ls", "--quiet", "--filter", "label=" + MARK).stream()
        .distinct()
        .toList();
  }

  private void folder(String... steps) throws IOException {
    Path folder = Files.createDirectories(checkout.resolve("handler-runtime-it"));
    Files.writeString(
        folder.resolve("Dockerfile"),
        "FROM tinyfaas/runtime-nodejs\nLABEL "
            + MARK
            + "\nCOPY handler-runtime-it/runtime.labels /opt/\n"
            + String.join("\n", steps));
    Files.writeString(
        folder.resolve("runtime.labels"),
        "# for tests\ntinyfaas.runtime=" + RUNTIME + "\n\ntinyfaas.runtime.aliases=\n");
  }

  private Deployment deploy(String name) {
    return deploy(name, Zip.saying("hello"));
  }

  private Deployment deploy(String name, FunctionArchive archive) {
    try (archive) {
      return deployer.deploy(
          new FunctionName(name), Specs.of("{\"runtime\": \"" + RUNTIME + "\"}"), archive);
    }
  }

  private boolean isBuilt() {
    return runtimes.list().stream()
        .anyMatch(runtime -> runtime.name().equals(RUNTIME) && !runtime.image().isEmpty());
  }

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
                    docker("ps", "-q", "--filter", "label=tinyfaas.function=" + name).stream()
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

  @Test
  void shouldTellToComeAgainWhileABuildGoesOn() throws Exception {
    folder("RUN echo patience && sleep 6");

    ProblemException unready = catchThrowableOfType(ProblemException.class, () -> deploy("early"));

    assertThat(unready.type()).isEqualTo(ProblemType.RUNTIME_UNAVAILABLE);
    assertThat(unready).hasMessageContaining("try again in half a minute");
    assertThat(unready.output()).contains("patience");
    assertThat(store.functions()).isEmpty();

    await().atMost(SOON).until(this::isBuilt);
    assertThat(deploy("early").created()).isTrue();
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
