package io.tinyfaas.manager;

import static io.tinyfaas.harness.Docker.docker;
import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.within;
import static io.tinyfaas.manager.RealParts.INSTANCE;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.harness.Docker;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.archive.Zip;
import io.tinyfaas.manager.deploy.FunctionDeployer.Deployment;
import io.tinyfaas.manager.handler.Health;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.reconcile.Reconciler;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.FunctionSpecJson;
import io.tinyfaas.manager.spec.PartialSpec;
import io.tinyfaas.manager.spec.Specs;
import io.tinyfaas.manager.store.FunctionStore;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Deploys, updates, rolls back and deletes a function. */
@QuarkusTest
@WithTestResource(RealParts.class)
class FunctionDeployerIT extends FunctionOnAnEngine {

  @Inject Reconciler reconciler;

  @Test
  void shouldServeANewFunction() {
    Deployment deployment = deploy(spec(), Zip.saying("hello"));

    assertThat(deployment.created()).isTrue();
    assertThat(deployment.state().version().number()).isEqualTo(1);
    assertThat(deployment.state().handlers())
        .singleElement()
        .extracting(handler -> handler.health())
        .isEqualTo(Health.HEALTHY);
    assertThat(invoke(onlyHandler())).contains("200 OK").endsWith("hello");
  }

  @Test
  void shouldReplaceAVersionAndRemoveWhatServedBefore() {
    deploy(spec(), Zip.saying("one"));
    String before = onlyHandler().id();

    Deployment second = deploy(spec(), Zip.saying("two"));

    assertThat(second.created()).isFalse();
    assertThat(second.state().version().number()).isEqualTo(2);
    assertThat(invoke(onlyHandler())).endsWith("two");
    assertThat(onlyHandler().id()).isNotEqualTo(before);
    eventually().until(() -> containers().size() == 1);
  }

  @Test
  void shouldNotStopAHandlerThatTheGatewayStillWaitsFor() {
    deploy(spec(), Zip.saying("one"));
    String before = onlyHandler().id();
    gateway.drains(Set.of(before));

    deploy(spec(), Zip.saying("two"));
    killAndAwaitTheNextStart(INSTANCE + "-Thing-" + onlyHandler().id());
    // What has started it has looked at the other handler, too, once it lets go of the function.
    reconciler.exclusively(FUNCTION, () -> true);
    assertThat(docker("inspect", "-f", "{{.State.Running}}", INSTANCE + "-Thing-" + before))
        .containsExactly("true");
    gateway.drains(Set.of());

    eventually().until(() -> containers().size() == 1);
  }

  @Test
  void shouldTakeTheSameArchiveAndSpecificationForNoNewVersion() {
    deploy(spec(), Zip.saying("same"));
    String before = onlyHandler().id();

    Deployment again = deploy(spec(), Zip.saying("same"));

    assertThat(again.changed()).isFalse();
    assertThat(again.state().version().number()).isEqualTo(1);
    assertThat(onlyHandler().id()).isEqualTo(before);
  }

  /** Its handler has died, and does not come up before the test says so. */
  @Test
  void shouldAnswerForNoNewVersionWhenItsHandlersServe() {
    FunctionSpec spec = spec();
    CompletableFuture<Deployment> first = CompletableFuture.supplyAsync(() -> deploy(spec, held()));
    letGoUntil(first::isDone);
    assertThat(first.join().changed()).isTrue();
    killAndAwaitTheNextStart(containers().getFirst());

    List<CompletableFuture<Deployment>> same =
        List.of(
            CompletableFuture.supplyAsync(() -> deploy(spec, held())),
            CompletableFuture.supplyAsync(() -> deployer.update(FUNCTION, before -> before)),
            CompletableFuture.supplyAsync(() -> deployer.rollback(FUNCTION, OptionalInt.of(1))));
    eventually()
        .during(Duration.ofSeconds(1))
        .until(() -> same.stream().noneMatch(CompletableFuture::isDone));
    letGoUntil(() -> same.stream().allMatch(CompletableFuture::isDone));

    for (CompletableFuture<Deployment> each : same) {
      assertThat(each.join().changed()).isFalse();
      assertThat(each.join().state().version().number()).isEqualTo(1);
    }
    assertThat(invoke(handlers().getFirst())).endsWith("held");
    eventually().until(() -> handlers().size() == 1 && containers().size() == 1);
  }

  private static FunctionArchive held() {
    return Zip.node(
        """
        const fs = require('fs')
        while (!fs.existsSync('/tmp/go')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
        module.exports = (req, res) => res.send('held')
        """);
  }

  /** All containers that there are, at any time until then. */
  private static void letGoUntil(Callable<Boolean> condition) {
    within(Duration.ofSeconds(30))
        .until(
            () -> {
              // One may have ended meanwhile.
              containers()
                  .forEach(c -> Docker.command("exec", c, "touch", "/tmp/go").run().exitCode());
              return condition.call();
            });
  }

  /** Of the archive nothing is asked: its image is there. */
  @Test
  void shouldNotInflateAnArchiveThatItNeedsNothingOf() throws IOException {
    Deployment first = deploy(spec(), Zip.saying("hello"));
    Files.writeString(store.archive(first.state().version()), "no zip any more");

    deployer.update(FUNCTION, _ -> spec("nodejs", 2, 0.5));

    assertThat(handlers()).hasSize(2);
    assertProblem(
        ProblemType.INVALID_ARCHIVE,
        () ->
            deployer.update(
                FUNCTION,
                spec ->
                    FunctionSpecJson.patch(
                        spec, JsonNodeFactory.instance.objectNode().put("entry", "index.js"))));
  }

  @Test
  void shouldScaleWithoutRestartingTheHandlersThatRun() {
    deploy(spec(), Zip.saying("hello"));
    String first = onlyHandler().id();

    deployer.update(FUNCTION, _ -> spec("nodejs", 3, 0.5));
    assertThat(handlers()).hasSize(3).extracting(Handler::id).contains(first);

    deployer.update(FUNCTION, _ -> spec());
    eventually().until(() -> handlers().size() == 1 && containers().size() == 1);
  }

  @Test
  void shouldTellTheGatewayWhatBecomesOfCallsAndKeepTheHandlers() {
    Deployment first = deploy(spec(), Zip.saying("hello"));
    String handler = onlyHandler().id();
    assertThat(gateway.route("Thing").orElseThrow().calls()).isEqualTo(CallPolicy.DEFAULT);

    Deployment second =
        deployer.update(
            FUNCTION,
            spec ->
                FunctionSpecJson.patch(
                    spec,
                    JsonNodeFactory.instance
                        .objectNode()
                        .put("delivery", "durable")
                        .set(
                            "async",
                            JsonNodeFactory.instance
                                .objectNode()
                                .put("retries", 3)
                                .put("onFailure", "alarm"))));

    CallPolicy calls = gateway.route("Thing").orElseThrow().calls();
    assertThat(calls.durable()).isTrue();
    assertThat(calls.retries()).isEqualTo(3);
    assertThat(calls.onFailure()).contains(new FunctionName("alarm"));
    assertThat(second.state().version().number()).isEqualTo(first.state().version().number() + 1);
    assertThat(onlyHandler().id()).isEqualTo(handler);
    assertThat(containers()).hasSize(1);
    assertThat(images()).hasSize(1);
  }

  @Test
  void shouldRefuseAFunctionThatIsToBeCalledForItsOwnFailures() {
    PartialSpec itself =
        Specs.fields("{\"runtime\": \"nodejs\", \"async\": {\"onFailure\": \"Thing\"}}");
    assertProblem(ProblemType.INVALID_SPEC, () -> deploy(itself, Zip.saying("hello")));
    deploy(spec(), Zip.saying("hello"));
    assertProblem(
        ProblemType.INVALID_SPEC, () -> deployer.update(FUNCTION, _ -> onFailure("Thing")));

    deployer.update(FUNCTION, _ -> onFailure("thing"));
  }

  private static FunctionSpec onFailure(String function) {
    return Specs.of(
        """
        {"runtime": "nodejs", "cpus": 0.5, "timeout": "2s", "async": {"onFailure": "%s"}}\
        """
            .formatted(function));
  }

  @Test
  void shouldDeployNothingUnderANameThatTheGatewayAnswersItself() {
    try (FunctionArchive archive = Zip.saying("hello")) {
      assertProblem(
          ProblemType.INVALID_REQUEST,
          () -> deployer.deploy(FunctionName.CALLS, Specs.fields(spec()), archive));
    }
    assertThat(store.functions()).isEmpty();
  }

  @Test
  void shouldTakeOverAnEnvironmentThatIsWrittenLikeTheOneBefore() {
    String script =
        "module.exports = (req, res) => res.send(process.env.A + ' and ' + process.env.C)";
    deploy(with(Map.of("A", "b, C=d")), Zip.node(script));
    assertThat(invoke(onlyHandler())).endsWith("b, C=d and undefined");

    deployer.update(FUNCTION, _ -> with(Map.of("A", "b", "C", "d")));

    assertThat(invoke(onlyHandler())).endsWith("b and d");
  }

  @Test
  void shouldKeepWhatADeploymentDoesNotName() {
    String script = "module.exports = (req, res) => res.send('%s ' + process.env.A)";
    deploy(
        Specs.fields(
            """
            {"runtime": "nodejs", "entry": "main.js", "environment": {"A": "kept"}, "timeout": "2s"}\
            """),
        Zip.of(Map.of("main.js", script.formatted("one"))));
    assertThat(invoke(onlyHandler())).endsWith("one kept");

    deploy(
        Specs.fields("{\"runtime\": \"node\"}"),
        Zip.of(Map.of("main.js", script.formatted("two"), "index.js", "none")));

    assertThat(invoke(onlyHandler())).endsWith("two kept");
    assertThat(store.active(FUNCTION).orElseThrow().spec().entry()).contains("main.js");
  }

  @Test
  void shouldGiveAFunctionItsEmptyFolders() {
    deploy(
        spec(),
        Zip.of(
            Map.of(
                "index.js",
                "const fs = require('fs'); module.exports = (req, res) =>"
                    + " res.send(fs.readdirSync('data/in').length + ' ' +"
                    + " (fs.statSync('data/in').mode & 0o777))",
                "/data/in/",
                "")));

    assertThat(invoke(onlyHandler())).endsWith("0 " + 0755);
  }

  private static FunctionSpec with(Map<String, String> environment) {
    FunctionSpec spec = spec();
    return new FunctionSpec(
        spec.runtime(),
        spec.handlers(),
        environment,
        spec.memoryBytes(),
        spec.cpus(),
        spec.timeout(),
        spec.networkAccess(),
        spec.labels(),
        spec.entry(),
        spec.exposure(),
        spec.calls(),
        spec.schedules(),
        spec.mayCall());
  }

  @Test
  void shouldRemoveTheImagesOfVersionsThatAreNoLongerKept() {
    deploy(spec(), Zip.saying("one"));
    deploy(spec(), Zip.saying("two"));

    for (int seconds = 1; seconds <= FunctionStore.KEPT_VERSIONS; seconds++) {
      Duration timeout = Duration.ofSeconds(10 + seconds);
      deployer.update(FUNCTION, spec -> FunctionSpecJson.patch(spec, timeout(timeout)));
    }

    assertThat(store.versions(FUNCTION)).hasSize(FunctionStore.KEPT_VERSIONS);
    eventually().untilAsserted(() -> assertThat(images()).hasSize(1));
  }

  private static ObjectNode timeout(Duration timeout) {
    return JsonNodeFactory.instance.objectNode().put("timeout", timeout.toString());
  }

  @Test
  void shouldRollBackWithoutABuildAndWithOneWhereTheImageIsGone() {
    deploy(spec(), Zip.saying("one"));
    String image = docker("inspect", "-f", "{{.Image}}", containers().getFirst()).getFirst();
    deploy(spec(), Zip.saying("two"));

    deployer.rollback(FUNCTION, OptionalInt.empty());
    assertThat(invoke(onlyHandler())).endsWith("one");
    eventually().until(() -> containers().size() == 1);
    assertThat(docker("inspect", "-f", "{{.Image}}", containers().getFirst()))
        .containsExactly(image);

    deployer.rollback(FUNCTION, OptionalInt.of(2));
    eventually().until(() -> containers().size() == 1);
    docker("image", "rm", image);
    deployer.rollback(FUNCTION, OptionalInt.of(1));
    assertThat(invoke(onlyHandler())).endsWith("one");
  }

  @Test
  void shouldRefuseToRollBackToAVersionThatThereIsNot() {
    deploy(spec(), Zip.saying("one"));

    assertProblem(
        ProblemType.UNKNOWN_VERSION, () -> deployer.rollback(FUNCTION, OptionalInt.empty()));
    assertProblem(
        ProblemType.UNKNOWN_VERSION, () -> deployer.rollback(FUNCTION, OptionalInt.of(7)));
  }

  @Test
  void shouldAnswerTwoDeploymentsOfOneNameAtOnce() {
    var one = CompletableFuture.supplyAsync(() -> deploy(spec(), Zip.saying("one")));
    var two = CompletableFuture.supplyAsync(() -> deploy(spec(), Zip.saying("two")));

    Set<Integer> numbers =
        Set.of(one.join(), two.join()).stream()
            .map(d -> d.state().version().number())
            .collect(Collectors.toSet());

    assertThat(numbers).containsExactlyInAnyOrder(1, 2);
    String last = one.join().state().version().number() == 2 ? "one" : "two";
    assertThat(invoke(onlyHandler())).endsWith(last);
  }

  @Test
  void shouldDeleteAFunctionThatIsBeingDeployed() throws Exception {
    deploy(spec(), Zip.saying("one"));
    FailingEngine.Held creation =
        FailingEngine.holds("POST /containers/create?name=" + INSTANCE + "-Thing-");
    var second = CompletableFuture.supplyAsync(() -> deploy(spec(), Zip.saying("two")));
    Thread deletion = Thread.ofPlatform().unstarted(() -> deployer.delete(FUNCTION));
    try (creation) {
      eventually().until(creation::isThere);
      deletion.start();
      eventually().until(() -> deletion.getState() == Thread.State.WAITING);
    }
    assertThat(second.join().changed()).isTrue();
    deletion.join();

    assertThat(store.functions()).isEmpty();
    assertNothingIsLeft();
  }

  @Test
  void shouldRefuseToDeleteWhatThereIsNot() {
    assertProblem(ProblemType.UNKNOWN_FUNCTION, () -> deployer.delete(FUNCTION));
  }
}
