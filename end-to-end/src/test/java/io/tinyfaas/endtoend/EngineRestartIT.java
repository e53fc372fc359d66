package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.endsWith;
import static org.hamcrest.Matchers.notNullValue;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The Docker Engine stops, is killed, loses power: on a box of its own, where both transports run
 * beside each other.
 */
class EngineRestartIT {

  private static final Duration BOUND = Duration.ofSeconds(90);

  private static Box box;
  private static List<Installation> systems = List.of();
  private static List<Workload> workloads = List.of();

  @BeforeAll
  static void start() {
    String tag = Objects.requireNonNullElse(System.getenv("TINYFAAS_TAG"), "latest");
    box =
        Box.start(
            Stream.of("broker", "manager", "gateway", "runtime-nodejs")
                .map(name -> "tinyfaas/" + name + ":" + tag)
                .toList());
    systems = Stream.of(Installation.UNIX, Installation.TCP).map(box::installation).toList();
    systems.forEach(Installation::up);
    workloads =
        systems.stream()
            .map(
                system ->
                    new Workload(system)
                        .with(
                            "sieve",
                            "runtime=nodejs&handlers=2",
                            Archives.ofFolder("examples/sieve-node"),
                            "2,3,5,7,11")
                        .with(
                            "outward",
                            "runtime=nodejs&networkAccess=true",
                            Code.answering("out"),
                            "out"))
            .toList();
  }

  @AfterAll
  static void remove() {
    workloads.forEach(Workload::close);
    systems.forEach(Installation::closeLogs);
    box.close();
  }

  @BeforeEach
  void shouldBeWell() {
    box.startEngine();
    box.letContainersOutliveTheEngine(false);
    systems.forEach(Installation::awaitManager);
    awaitBack("(before)", System.nanoTime());
  }

  @Test
  void shouldComeBackAfterTheEngineWasStopped() {
    box.stopEngine();
    assertThat(workloads).noneMatch(workload -> workload.answers("sieve"));
    long begin = System.nanoTime();
    box.startEngine();
    awaitBack("the engine stopped, then started", begin);
    shouldBeAbleToDeploy();
  }

  @Test
  void shouldComeBackAfterTheEngineWasKilled() {
    box.killEngine();
    long begin = System.nanoTime();
    box.startEngine();
    awaitBack("the engine killed, then started", begin);
    shouldBeAbleToDeploy();
  }

  @Test
  void shouldComeBackAfterAPowerCut() {
    box.powerCut();
    box.powerOn();
    assertThat(box.firewall()).noneMatch(rule -> rule.contains("tinyfaas"));
    long begin = System.nanoTime();
    box.startEngine();
    awaitBack("a power cut, then the engine started", begin);
    for (Installation system : systems) {
      within(BOUND)
          .untilAsserted(
              () ->
                  assertThat(box.firewall())
                      .anyMatch(rule -> rule.contains("tinyfaas:" + system.project())));
    }
    shouldBeAbleToDeploy();
  }

  @Test
  void shouldInvokeOnAndSaySoWhenTheEngineIsGone() {
    // So that the manager is there to be asked.
    box.letContainersOutliveTheEngine(true);
    Workload.Traffic first = workloads.getFirst().traffic();
    Workload.Traffic second = workloads.getLast().traffic();
    try (first;
        second) {
      box.stopEngine();
      for (Installation system : systems) {
        system
            .rest()
            .get("/functions")
            .then()
            .statusCode(503)
            .body("type", endsWith("engine-unavailable"))
            .header("Retry-After", notNullValue());
        system
            .rest()
            .contentType("application/zip")
            .body(Code.answering("new"))
            .put("/functions/new?runtime=nodejs")
            .then()
            .statusCode(503)
            .body("type", endsWith("engine-unavailable"));
      }
      first.awaitMore(200);
      second.awaitMore(200);
      long begin = System.nanoTime();
      box.startEngine();
      for (Installation system : systems) {
        within(BOUND)
            .ignoreExceptions()
            .until(() -> system.rest().get("/functions").statusCode() == 200);
      }
      awaitBack("the manager, the engine restarted under its containers", begin);
      first.awaitMore(200);
      second.awaitMore(200);
    }
    shouldBeAbleToDeploy();
    for (Installation system : systems) {
      within(BOUND).until(() -> system.traces("new").isEmpty());
    }
  }

  private static void awaitBack(String what, long since) {
    workloads.forEach(workload -> workload.awaitBack(what, since, BOUND));
  }

  private static void shouldBeAbleToDeploy() {
    systems.forEach(Installation::awaitManager);
    for (Workload workload : workloads) {
      workload.with("later", "runtime=nodejs", Code.answering("later"), "later");
      workload.without("later");
    }
  }
}
