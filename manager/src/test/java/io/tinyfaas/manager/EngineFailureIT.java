package io.tinyfaas.manager;

import static io.tinyfaas.manager.RealParts.docker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.manager.deploy.Zip;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.store.FunctionSpec;
import io.tinyfaas.manager.store.Specs;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The engine fails once, in the middle of a change: what it did not do then, it does later. */
@QuarkusTest
@WithTestResource(RealParts.class)
class EngineFailureIT extends FunctionOnAnEngine {

  private static final FunctionSpec NETWORKED =
      Specs.of(
          """
          {"runtime": "nodejs", "networkAccess": true}""");

  @Test
  void shouldRemoveTheNetworkThatItCouldNotRemoveAtOnce() {
    deploy(NETWORKED, Zip.saying("one"));
    FailingEngine.failsNextWith("DELETE /networks/");

    deploy(spec(), Zip.saying("one"));

    await().atMost(SOON).until(FailingEngine::hasFailed);
    await().atMost(SOON).untilAsserted(() -> assertThat(networks()).isEmpty());
    assertThat(invoke(onlyHandler())).endsWith("one");
  }

  @Test
  void shouldRemoveTheHandlerThatItCouldNotRemoveAtOnceAndItsFolder() {
    deploy(spec(), Zip.saying("one"));
    FailingEngine.failsNextWith("DELETE /containers/");

    deploy(spec("nodejs", 1, 0.4), Zip.saying("one"));

    await().atMost(SOON).until(FailingEngine::hasFailed);
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> {
              assertThat(containers()).hasSize(1);
              assertThat(sockets.resolve("Thing"))
                  .isDirectoryContaining(folder -> folder.endsWith(onlyHandler().id()))
                  .isDirectoryNotContaining(folder -> !folder.endsWith(onlyHandler().id()));
            });
    assertThat(invoke(onlyHandler())).endsWith("one");
  }

  /** The container in which the image was to be made is there, and nobody knows its id. */
  @Test
  void shouldRemoveTheContainerOfABuildThatItDidNotConfirm() {
    deploy(spec(), Zip.saying("one"));
    List<String> before = images();
    FailingEngine.losesTheNextAnswerTo("POST /containers/create");

    assertProblem(ProblemType.ENGINE_UNAVAILABLE, () -> deploy(spec(), Zip.saying("two")));

    assertThat(FailingEngine.hasFailed()).isTrue();
    await().atMost(SOON).untilAsserted(() -> assertThat(containerNames()).hasSize(2));
    assertThat(images()).isEqualTo(before);
    assertThat(invoke(onlyHandler())).endsWith("one");
  }

  @Test
  void shouldLeaveNeitherContainerNorNetworkOfABuildThatItCouldNotRemove() {
    deploy(NETWORKED, Zip.saying("one"));
    List<String> before = images();
    List<String> networks = networks();
    FailingEngine.failsNextWith("DELETE /containers/");

    assertProblem(
        ProblemType.ENGINE_UNAVAILABLE,
        () ->
            deploy(
                NETWORKED,
                Zip.of(
                    Map.of(
                        "index.js",
                        "module.exports = (req, res) => res.send('two')",
                        "package.json",
                        "{\"scripts\": {\"preinstall\": \"true\"}}"))));

    assertThat(FailingEngine.hasFailed()).isTrue();
    await().atMost(SOON).untilAsserted(() -> assertThat(containerNames()).hasSize(2));
    assertThat(networks()).isEqualTo(networks);
    assertThat(images()).isEqualTo(before);
  }

  private static List<String> networks() {
    return docker("network", "ls", "-q", "--filter", ours());
  }
}
