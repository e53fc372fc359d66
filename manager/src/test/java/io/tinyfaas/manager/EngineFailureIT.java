package io.tinyfaas.manager;

import static io.tinyfaas.harness.Docker.docker;
import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.archive.Zip;
import io.tinyfaas.manager.deploy.FunctionDeployer.Deployment;
import io.tinyfaas.manager.engine.HostAddresses;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.Specs;
import jakarta.inject.Inject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The engine fails once, in the middle of a change: what it did not do then, it does later. */
@Tag("slow")
@QuarkusTest
@WithTestResource(RealParts.class)
class EngineFailureIT extends FunctionOnAnEngine {

  private static final FunctionSpec NETWORKED =
      Specs.of(
          """
          {"runtime": "nodejs", "networkAccess": true}\
          """);

  @Inject HostAddresses addresses;

  @ConfigProperty(name = "tinyfaas.store")
  Path storeRoot;

  @Test
  void shouldRemoveTheNetworkThatItCouldNotRemoveAtOnce() {
    deploy(NETWORKED, Zip.saying("one"));
    FailingEngine.failsNextWith("DELETE /networks/");

    deploy(spec(), Zip.saying("one"));

    eventually().until(FailingEngine::hasFailed);
    eventually().untilAsserted(() -> assertThat(networks()).isEmpty());
    assertThat(invoke(onlyHandler())).endsWith("one");
  }

  @Test
  void shouldRemoveTheHandlerThatItCouldNotRemoveAtOnceAndItsFolder() {
    deploy(spec(), Zip.saying("one"));
    FailingEngine.failsNextWith("DELETE /containers/" + containers().getFirst());

    deploy(spec("nodejs", 1, 0.4), Zip.saying("one"));

    eventually().until(FailingEngine::hasFailed);
    eventually()
        .untilAsserted(
            () -> {
              assertThat(containers()).hasSize(1);
              assertThat(sockets.resolve("Thing"))
                  .isDirectoryContaining(folder -> folder.endsWith(onlyHandler().id()))
                  .isDirectoryNotContaining(folder -> !folder.endsWith(onlyHandler().id()));
            });
    assertThat(invoke(onlyHandler())).endsWith("one");
  }

  /** A result that is there is not lost with what could not be removed. */
  @Test
  void shouldRemoveTheContainerOfACommandThatItCouldNotRemoveAtOnce() {
    FailingEngine.failsNextWith("DELETE /containers/");

    assertThat(addresses.list()).isNotEmpty();

    assertThat(FailingEngine.hasFailed()).isTrue();
    eventually().untilAsserted(() -> assertThat(containerNames()).isEmpty());
  }

  @Test
  void shouldRemoveTheContainerOfACommandThatItDidNotConfirm() {
    FailingEngine.losesTheNextAnswerTo("POST /containers/create");

    assertProblem(ProblemType.ENGINE_UNAVAILABLE, addresses::list);

    assertThat(FailingEngine.hasFailed()).isTrue();
    eventually().untilAsserted(() -> assertThat(containerNames()).isEmpty());
  }

  /** An image of nothing would be taken for the version's for good. */
  @Test
  void shouldMakeNoImageOfFilesThatCannotBeRead() throws Exception {
    CompletableFuture<Deployment> deployment;
    try (FailingEngine.Held creation = FailingEngine.holds("POST /containers/create")) {
      deployment = CompletableFuture.supplyAsync(() -> deploy(spec(), Zip.saying("one")));
      eventually().until(creation::isThere);
      Files.delete(storeRoot.resolve("functions/Thing/versions/1/archive.zip"));
    }

    assertThatThrownBy(deployment::join)
        .cause()
        .asInstanceOf(type(ProblemException.class))
        .satisfies(problem -> assertThat(problem.type()).isEqualTo(ProblemType.INTERNAL))
        .satisfies(problem -> assertThat(problem).hasMessageContaining("disk"));
    eventually().untilAsserted(() -> assertThat(images()).isEmpty());
  }

  /** The container in which the image was to be made is there, and nobody knows its id. */
  @Test
  void shouldRemoveTheContainerOfABuildThatItDidNotConfirm() {
    deploy(spec(), Zip.saying("one"));
    List<String> before = images();
    FailingEngine.losesTheNextAnswerTo("POST /containers/create");

    assertProblem(ProblemType.ENGINE_UNAVAILABLE, () -> deploy(spec(), Zip.saying("two")));

    assertThat(FailingEngine.hasFailed()).isTrue();
    eventually().untilAsserted(() -> assertThat(containerNames()).hasSize(1));
    assertThat(images()).isEqualTo(before);
    assertThat(invoke(onlyHandler())).endsWith("one");
  }

  @Test
  void shouldLeaveNeitherContainerNorNetworkOfABuildThatItCouldNotRemove() {
    deploy(NETWORKED, Zip.saying("one"));
    List<String> before = images();
    List<String> networks = networks();
    List<String> containers = containerNames();
    FunctionArchive built =
        Zip.of(
            Map.of(
                "index.js",
                "module.exports = (req, res) => res.send('two')",
                "package.json",
                "{\"scripts\": {\"preinstall\": \"until [ -e /tmp/go ]; do sleep 0.1; done\"}}"));
    CompletableFuture<Deployment> deployment =
        CompletableFuture.supplyAsync(() -> deploy(NETWORKED, built));
    eventually().until(() -> runningBuilds().size() == 1);
    String build = runningBuilds().getFirst();
    FailingEngine.failsNextWith("DELETE /containers/" + build);
    docker("exec", build, "touch", "/tmp/go");

    assertProblem(
        ProblemType.ENGINE_UNAVAILABLE,
        () -> {
          try {
            deployment.join();
          } catch (CompletionException e) {
            throw e.getCause();
          }
        });

    assertThat(FailingEngine.hasFailed()).isTrue();
    eventually()
        .untilAsserted(
            () -> {
              assertThat(containerNames()).containsExactlyInAnyOrderElementsOf(containers);
              assertThat(networks()).isEqualTo(networks);
            });
    assertThat(images()).isEqualTo(before);
  }
}
