package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.patient;
import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What was acknowledged is there, what was not is not, and what fails alone heals alone. */
class LosesNothingIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final Duration BOUND = Duration.ofSeconds(60);

  private Workload workload;

  @BeforeEach
  void shouldBeWell() {
    SYSTEM.awaitManager();
    workload = new Workload(SYSTEM);
  }

  @AfterEach
  void close() {
    workload.close();
  }

  @Test
  void shouldHaveWhatTheManagerAcknowledgedBeforeItDied() {
    for (String version : List.of("first", "second")) {
      try (Crash crash = Crash.of(SYSTEM, SYSTEM.container("manager"))) {
        workload.with("kept", "runtime=nodejs&handlers=2", Code.answering(version), version);
        crash.now();
        workload.awaitBack("manager killed just after it acknowledged", System.nanoTime(), BOUND);
      }
      SYSTEM.awaitManager();
      workload.awaitHealthy("kept", 2);
      within(BOUND).until(() -> SYSTEM.running("kept").size() == 2);
      assertThat(workload.answer("kept")).startsWith(version);
    }
    workload.without("kept");
  }

  @Test
  void shouldLeaveNothingOfANewFunctionWhoseManagerDiedWhileItWasBuilt() {
    byte[] zip =
        Code.of(
            Map.of(
                "index.js",
                "module.exports = (req, res) => res.send('built');",
                "package.json",
                "{\"scripts\": {\"preinstall\": \"sleep 120\"}}"));
    try (Crash crash = Crash.of(SYSTEM, SYSTEM.container("manager"))) {
      CompletableFuture<Integer> answer = Workload.put(SYSTEM, "unbuilt", "runtime=nodejs", zip);
      within(BOUND).until(() -> !SYSTEM.running("unbuilt").isEmpty());
      assertThat(answer).isNotDone();
      crash.now();
      assertThat(answer).failsWithin(patient(BOUND));
    }
    SYSTEM.awaitManager();
    within(BOUND)
        .untilAsserted(
            () -> {
              assertThat(SYSTEM.traces("unbuilt")).isEmpty();
              assertThat(SYSTEM.traces("tinyfaas.build")).isEmpty();
              assertThat(SYSTEM.files("unbuilt")).isEmpty();
            });
    SYSTEM.rest().get("/functions/unbuilt").then().statusCode(404);
  }

  @Test
  void shouldRouteAsBeforeWithoutTheBrokersVolume() {
    workload.with("routed", "runtime=nodejs", Code.answering("here"), "here");
    try (Workload.Traffic traffic = workload.traffic()) {
      SYSTEM.compose("rm", "--stop", "--force", "broker");
      SYSTEM.docker("volume", "rm", SYSTEM.project() + "_broker-data");
      SYSTEM.compose("up", "--detach", "--no-build", "broker");
      traffic.awaitMore(100);
    }
    // A gateway that comes now has its routes from nowhere but the new volume.
    try (Crash crash = Crash.of(SYSTEM, SYSTEM.container("gateway"))) {
      crash.now();
      workload.awaitBack(
          "the broker's volume deleted, then kill -9 of the gateway", System.nanoTime(), BOUND);
    }
    workload.without("routed");
  }

  @Test
  void shouldReplaceAHandlerThatHangs() {
    String code =
        "module.exports = (req, res) => { while (req.path === '/hang'); res.send('still here'); };";
    workload.with("hangs", "runtime=nodejs&timeout=3s", Code.node(code), "still here");
    List<String> before = SYSTEM.handlers("hangs");
    Device device = new Device(SYSTEM);
    try {
      assertThat(device.get("hangs/hang").getCode().text).isEqualTo("5.04");
    } finally {
      device.switchOff();
    }
    workload.awaitBack("an event loop hangs (timeout 3 s)", System.nanoTime(), BOUND);
    within(BOUND)
        .untilAsserted(
            () -> assertThat(SYSTEM.handlers("hangs")).doesNotContainAnyElementsOf(before));
    workload.without("hangs");
  }
}
