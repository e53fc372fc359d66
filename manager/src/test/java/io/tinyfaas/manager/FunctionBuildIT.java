package io.tinyfaas.manager;

import static io.tinyfaas.harness.Docker.docker;
import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.within;
import static io.tinyfaas.manager.RealParts.ours;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThatCode;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.harness.Command;
import io.tinyfaas.harness.Docker;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.archive.Zip;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.spec.Specs;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Dependencies are installed where a function has some. */
@Tag("slow")
@QuarkusTest
@WithTestResource(RealParts.class)
class FunctionBuildIT extends FunctionOnAnEngine {

  /** In which a build might begin that must not yet. */
  private static final Duration QUIET = Duration.ofSeconds(1);

  /** {@code start} or {@code die} in each line. Live: the engine remembers only the last 256. */
  private Command.Running events;

  @BeforeEach
  void followTheEngine() {
    events =
        Docker.command(
                "events",
                "--format",
                "{{.Action}}",
                "--since",
                Instant.now().toString(),
                "--filter",
                ours(),
                "--filter",
                "label=tinyfaas.role=build",
                "--filter",
                "event=start",
                "--filter",
                "event=die")
            .start();
  }

  @AfterEach
  void leaveTheEngine() {
    events.close();
  }

  @Test
  void shouldWaitForABuildThatIsSilentForLongerThanACallMayBe() {
    long silence = RealParts.ENGINE_TIMEOUT.plusSeconds(2).toSeconds();
    deploy(
        spec(),
        Zip.of(
            Map.of(
                "index.js",
                "module.exports = (req, res) => res.send(require('brought'))",
                "brought/index.js",
                "module.exports = 'built'",
                "brought/package.json",
                "{\"name\": \"brought\", \"version\": \"1.0.0\"}",
                "package.json",
                "{\"scripts\": {\"preinstall\": \"sleep "
                    + silence
                    + "\"}, \"dependencies\": {\"brought\": \"file:brought\"}}")));

    assertThat(invoke(onlyHandler())).endsWith("built");
  }

  @Test
  @Tag("internet")
  void shouldInstallWhatARegistryHas() {
    assumeThatCode(() -> InetAddress.getByName("registry.npmjs.org"))
        .as("the name of npm's registry has no address here")
        .doesNotThrowAnyException();
    deploy(
        spec(),
        Zip.of(
            Map.of(
                "index.js",
                "module.exports = (req, res) => res.send(String(require('is-number')(7)))",
                "package.json",
                "{\"dependencies\": {\"is-number\": \"7.0.0\"}}")));

    assertThat(invoke(onlyHandler())).endsWith("true");
  }

  @Test
  void shouldRunNoBuildCommandForAPackageJsonThatAsksForNothing() {
    deploy(spec(), withPackageJson("{\"name\": \"fn\", \"dependencies\": {}}"));
    assertThat(invoke(onlyHandler())).endsWith("deployed");

    deploy(spec(), withPackageJson("{\"name\": \"fn\", \"scripts\": {\"install\": \"true\"}}"));
    assertThat(invoke(onlyHandler())).endsWith("deployed");
    // Of the second: the first one's would have come before.
    eventually().until(() -> eventsOfBuilds().contains("die"));
    assertThat(eventsOfBuilds()).containsExactly("start", "die");
  }

  @Test
  void shouldRunNoMoreThanTwoBuildsAtOnce() {
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 4; i++) {
        String name = "Thing" + i;
        callers.submit(
            () -> {
              try (FunctionArchive archive =
                  withPackageJson(
                      "{\"scripts\": {\"install\": \"until [ -e /tmp/go ]; do sleep 0.1;"
                          + " done\"}}")) {
                deployer.deploy(new FunctionName(name), Specs.fields(spec()), archive);
              }
            });
      }
      within(Duration.ofMinutes(1)).until(() -> runningBuilds().size() == 2);
      eventually().during(QUIET).until(() -> runningBuilds().size() == 2);
      within(Duration.ofMinutes(2))
          .ignoreExceptions()
          .until(
              () -> {
                runningBuilds().forEach(build -> docker("exec", build, "touch", "/tmp/go"));
                return store.functions().size() == 4;
              });
    }

    assertThat(store.functions()).hasSize(4);
    eventually().until(() -> eventsOfBuilds().size() == 8);
    assertThat(mostBuildsAtOnce()).isEqualTo(2);
  }

  /** While it runs, and of one that ends before anybody looks. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "dd if=/dev/zero of=much bs=1M count=100; sleep 600",
        "dd if=/dev/zero of=much bs=1M count=100",
      })
  void shouldEndABuildThatWritesMoreThanItMay(String command) {
    assertThatThrownBy(
            () ->
                deploy(
                    spec(),
                    withPackageJson("{\"scripts\": {\"preinstall\": \"" + command + "\"}}")))
        .isInstanceOfSatisfying(
            ProblemException.class,
            problem -> {
              assertThat(problem.type()).isEqualTo(ProblemType.BUILD_FAILED);
              assertThat(problem).hasMessageContainingAll("67108864", "TINYFAAS_MAX_BUILD");
            });
    assertNothingIsLeft();
  }

  @Test
  void shouldGiveABuildHalfOfTheBox() {
    CompletableFuture<Void> deployment =
        CompletableFuture.runAsync(
            () ->
                deploy(
                    spec(),
                    withPackageJson(
                        "{\"scripts\": {\"install\": \"until [ -e /tmp/go ]; do sleep 0.1;"
                            + " done\"}}")));
    within(Duration.ofMinutes(1)).until(() -> runningBuilds().size() == 1);
    String build = runningBuilds().getFirst();
    long processors = Long.parseLong(docker("info", "-f", "{{.NCPU}}").getFirst());

    assertThat(docker("inspect", "-f", "{{.HostConfig.NanoCpus}}", build))
        .containsExactly(Long.toString(processors * 500_000_000));

    docker("exec", build, "touch", "/tmp/go");
    deployment.join();
    assertThat(invoke(onlyHandler())).endsWith("deployed");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{ broken", "[]"})
  void shouldSayWhatIsWrongWithAPackageJsonThatIsNone(String text) {
    assertThatThrownBy(() -> deploy(spec(), withPackageJson(text)))
        .asInstanceOf(type(ProblemException.class))
        .satisfies(problem -> assertThat(problem.type()).isEqualTo(ProblemType.BUILD_FAILED))
        .extracting(problem -> String.join("\n", problem.output()))
        .asString()
        .containsPattern("package.json (cannot be read|is not a JSON object)");
  }

  private static FunctionArchive withPackageJson(String text) {
    return Zip.of(
        Map.of(
            "index.js",
            "module.exports = (req, res) => res.send('deployed')",
            "package.json",
            text));
  }

  private int mostBuildsAtOnce() {
    int most = 0;
    int now = 0;
    for (String action : eventsOfBuilds()) {
      now += action.equals("start") ? 1 : -1;
      most = Math.max(most, now);
    }
    return most;
  }

  private List<String> eventsOfBuilds() {
    return events.output().lines().toList();
  }
}
