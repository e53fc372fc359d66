package io.tinyfaas.manager;

import static io.tinyfaas.harness.Docker.docker;
import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.smallrye.mutiny.subscription.Cancellable;
import io.tinyfaas.manager.archive.Zip;
import io.tinyfaas.manager.handler.HandlerLogs;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** What handlers print, followed while they come and go. */
@QuarkusTest
@WithTestResource(RealParts.class)
class HandlerLogsIT extends FunctionOnAnEngine {

  @Inject HandlerLogs logs;

  @Test
  void shouldShowAFollowerAllThatARestartedHandlerPrintsAndNothingTwice() {
    deploy(
        spec(),
        Zip.node(
            "console.log('loaded'); module.exports = (req, res) => {"
                + " console.log(req.body); res.send('done'); };"));
    List<String> lines = new CopyOnWriteArrayList<>();
    Cancellable following = logs.lines(FUNCTION, 0, true).subscribe().with(lines::add);
    eventually()
        .until(
            () -> {
              invoke(onlyHandler(), "before");
              return !lines.isEmpty();
            });

    docker("kill", "--signal", "KILL", containers().getFirst());
    eventually().ignoreExceptions().until(() -> invoke(onlyHandler(), "after").endsWith("done"));
    eventually().until(() -> lines.getLast().endsWith(" after\n"));
    following.cancel();

    assertThat(lines).doesNotHaveDuplicates();
    assertThat(lines.stream().map(line -> line.substring(line.lastIndexOf(' ') + 1).strip()))
        .containsSubsequence("before", "loaded", "after")
        .containsOnlyOnce("loaded");
  }

  /** The engine's connections for what takes long: a build needs one, too. */
  @Test
  void shouldLeaveTheEngineToOthersHoweverManyFollow() {
    deploy(spec(), Zip.node("module.exports = (req, res) => res.send('done');"));
    List<Cancellable> following = new ArrayList<>();
    List<Throwable> refused = new CopyOnWriteArrayList<>();
    try {
      for (int i = 0; i < 100; i++) {
        following.add(follow(refused));
      }
      eventually().until(() -> !refused.isEmpty());
      deploy(
          spec(),
          Zip.of(
              Map.of(
                  "index.js",
                  "module.exports = (req, res) => res.send('built')",
                  "package.json",
                  "{\"scripts\": {\"install\": \"true\"}}")));
    } finally {
      following.forEach(Cancellable::cancel);
    }

    assertThat(invoke(onlyHandler())).endsWith("built");
    assertThat(refused)
        .allMatch(e -> e instanceof ProblemException p && p.type() == ProblemType.TOO_MANY);
    eventually().until(this::isReadNow);
  }

  /**
   * @param refused is told if it is
   */
  private Cancellable follow(List<Throwable> refused) {
    try {
      return logs.lines(FUNCTION, 0, true).subscribe().with(line -> {}, refused::add);
    } catch (ProblemException e) {
      refused.add(e);
      return () -> {};
    }
  }

  private boolean isReadNow() {
    try {
      logs.lines(FUNCTION, 0, false)
          .collect()
          .asList()
          .await()
          .atMost(patient(Duration.ofSeconds(20)));
      return true;
    } catch (ProblemException e) {
      return false;
    }
  }
}
