package io.tinyfaas.manager;

import static io.tinyfaas.harness.Docker.docker;
import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.manager.RealParts.INSTANCE;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.arc.Arc;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.archive.Zip;
import io.tinyfaas.manager.handler.EngineInventory;
import io.tinyfaas.manager.image.FunctionImages;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.reconcile.FunctionRunner;
import io.tinyfaas.manager.reconcile.Reconciler;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.store.FunctionVersion;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a manager finds that was killed, or whose disk was damaged. */
@Tag("slow")
@QuarkusTest
@WithTestResource(RealParts.class)
class EarlierLifeIT extends FunctionOnAnEngine {

  @Inject FunctionImages functionImages;
  @Inject FunctionRunner runner;
  @Inject Reconciler reconciler;
  @Inject EngineInventory engine;

  @ConfigProperty(name = "tinyfaas.store")
  Path storeFolder;

  @Test
  void shouldRemoveTheImageOfAVersionThatGotNoFurther() {
    deploy(spec(), Zip.saying("one"));
    List<String> before = images();
    List<String> after =
        reconciler.exclusively(
            FUNCTION,
            () -> {
              try (FunctionArchive archive = Zip.saying("two")) {
                FunctionVersion candidate =
                    store.add(FUNCTION, spec(), archive.digest(), archive.file());
                functionImages.ensure(candidate);
                store.discard(candidate);
              }
              return images();
            });
    assertThat(after).hasSize(2);

    runner.findLeft();
    reconciler.signal(FUNCTION);

    eventually().untilAsserted(() -> assertThat(images()).isEqualTo(before));
    assertThat(invoke(onlyHandler())).endsWith("one");
  }

  @Test
  void shouldRemoveANetworkThatWasMadeForNobody() {
    deploy(spec(), Zip.saying("one"));
    docker(
        "network",
        "create",
        "--label",
        "tinyfaas.instance=" + INSTANCE,
        "--label",
        "tinyfaas.function=Thing",
        "--label",
        "tinyfaas.role=outbound",
        "--subnet",
        RealParts.LAST_SUBNET,
        INSTANCE + "-Thing.outbound");

    runner.findLeft();
    reconciler.signal(FUNCTION);

    eventually().untilAsserted(() -> assertThat(networks()).isEmpty());
    assertThat(invoke(onlyHandler())).endsWith("one");
  }

  @Test
  void shouldRemoveTheFoldersOfHandlersThatAreGone() throws IOException {
    deploy(spec(), Zip.saying("one"));
    Path own = sockets.resolve("Thing/" + onlyHandler().id());
    FunctionName gone = new FunctionName("Gone");
    Files.createDirectories(sockets.resolve("Thing/0badc0de"));
    Files.createDirectories(sockets.resolve("Gone/0badc0de"));

    runner.findLeft();
    reconciler.signal(FUNCTION);
    reconciler.signal(gone);

    eventually()
        .untilAsserted(
            () -> {
              assertThat(sockets.resolve("Gone")).doesNotExist();
              assertThat(sockets.resolve("Thing")).isDirectoryContaining(own::equals);
              assertThat(sockets.resolve("Thing/0badc0de")).doesNotExist();
            });
    assertThat(invoke(onlyHandler())).endsWith("one");
  }

  @ParameterizedTest
  @ValueSource(strings = {"build", "firewall", "addresses"})
  void shouldRemoveAContainerThatNobodyWaitsForAnyMore(String role) {
    docker(
        "create",
        "--label",
        "tinyfaas.instance=" + INSTANCE,
        "--label",
        "tinyfaas.role=" + role,
        "tinyfaas/manager");

    engine.removeLeft();

    assertNothingIsLeft();
  }

  @Test
  void shouldKeepWhatRunsOfAFunctionThatCannotBeReadWhenItsNextVersionFails() throws IOException {
    deploy(spec(), Zip.saying("good"));
    List<String> containers = containers();
    List<String> images = images();
    Path version = storeFolder.resolve("functions/Thing/versions/1/version.json");
    String content = Files.readString(version);
    Files.writeString(version, "damaged");
    openStoreAgain();
    assertThat(store.isUnreadable(FUNCTION)).isTrue();

    assertProblem(ProblemType.START_FAILED, () -> deploy(spec(), Zip.node("process.exit(3)")));

    assertThat(containers()).containsAll(containers);
    assertThat(images()).containsAll(images);
    Files.writeString(version, content);
    openStoreAgain();
    reconciler.signal(FUNCTION);
    eventually()
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(invoke(onlyHandler())).endsWith("good"));
    assertThat(containers()).isEqualTo(containers);
  }

  /** While nobody looks at the function, as after a start. */
  private void openStoreAgain() {
    reconciler.exclusively(
        FUNCTION,
        () -> {
          Arc.container().instance(FunctionStore.class).destroy();
          return store.active(FUNCTION);
        });
  }
}
