package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.patient;
import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever stops, dies or is made anew: all functions answer again, and nobody deploys them.
 *
 * <p>{@link LosesNothingIT} has what does not depend on the way to the handlers, {@link
 * EngineRestartIT} what stops the engine itself.
 */
@ParameterizedClass(name = "{0}")
@MethodSource("systems")
class ComesBackIT {

  private static final Duration BOUND = Duration.ofSeconds(60);
  private static final String PRIMES = "2,3,5,7,11";

  private static Workload workload;

  @Parameter private Installation system;

  static Stream<Installation> systems() {
    return Stream.of(Installation.UNIX, Installation.TCP);
  }

  @BeforeParameterizedClassInvocation
  static void deploy(Installation system) {
    system.start();
    workload =
        new Workload(system)
            .with(
                "back-node",
                "runtime=nodejs&handlers=2",
                Archives.ofFolder("examples/sieve-node"),
                PRIMES)
            .with(
                "back-java",
                "runtime=java&handlers=1",
                Archives.ofFolder("examples/sieve-java"),
                PRIMES);
  }

  @AfterParameterizedClassInvocation
  static void delete(Installation system) {
    workload.without("back-node");
    workload.without("back-java");
    workload.close();
  }

  @BeforeEach
  void shouldBeWell() {
    system.awaitManager();
    workload.awaitHealthy("back-node", 2);
    workload.awaitHealthy("back-java", 1);
    workload.awaitBack("(before)", System.nanoTime(), BOUND);
  }

  @Test
  void shouldComeBackAfterARestartOfAllContainers() {
    long begin = System.nanoTime();
    system.compose("restart");
    workload.awaitBack("docker compose restart, from the command on", begin, BOUND);
  }

  @Test
  void shouldComeBackAfterDownAndUp() {
    system.run(BOUND, "compose/down");
    assertThat(system.handlers("back-node")).isEmpty();
    long begin = System.nanoTime();
    system.compose("up", "--detach", "--no-build");
    workload.awaitBack("docker compose up after make down", begin, BOUND);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gateway", "broker", "manager"})
  void shouldComeBackAfterAServiceWasKilled(String service) {
    try (Crash crash = Crash.of(system, system.container(service))) {
      crash.now();
      workload.awaitBack("kill -9 of the " + service, System.nanoTime(), BOUND);
    }
    shouldBeAbleToDeploy();
  }

  /** Twice, as what was accepted goes on from where it was each time. */
  @Test
  void shouldRunCallsThatWereAcceptedBeforeTheGatewayWasKilled(@TempDir Path folder) {
    Curl curl = new Curl(system, folder);
    int before = calls("state=done");
    for (int round = 1; round <= 2; round++) {
      try (Crash crash = Crash.of(system, system.container("gateway"))) {
        for (int i = 0; i < 10; i++) {
          Curl.Answer answer =
              curl.ask("calls/back-node", "--data", "x", "-H", "X-tinyFaaS-Delay: 500ms");
          assertThat(answer.status()).as(answer.text()).isEqualTo(202);
        }
        crash.now();
      }
      int expected = before + 10 * round;
      within(BOUND).untilAsserted(() -> assertThat(calls("state=done")).isEqualTo(expected));
    }
    assertThat(calls("state=failed")).isZero();
  }

  private int calls(String which) {
    return system
        .rest()
        .get("/functions/back-node/calls?limit=1000&" + which)
        .then()
        .statusCode(200)
        .extract()
        .jsonPath()
        .getList("calls")
        .size();
  }

  /** Many more than the broker has clients, and none of which says who it is. */
  @Test
  void shouldComeBackBesideIdleConnectionsToTheBroker() throws IOException {
    List<Socket> idle = new ArrayList<>();
    try {
      for (int i = 0; i < 500; i++) {
        idle.add(new Socket("127.0.0.1", system.brokerPort()));
      }
      String askOnce = "rm -f /dev/shm/healthy && healthy";
      system.docker("exec", system.container("broker"), "sh", "-c", askOnce);
      system.compose("restart", "gateway", "manager");
      system.awaitManager();
      shouldBeAbleToDeploy();
      workload.awaitBack(
          "gateway and manager, idle connections at the broker", System.nanoTime(), BOUND);
    } finally {
      for (Socket socket : idle) {
        socket.close();
      }
    }
  }

  @Test
  void shouldReachAllHandlersFromAnotherGatewayContainer() {
    system.compose("rm", "--stop", "--force", "gateway");
    assertThat(workload.answers("back-node")).isFalse();
    long begin = System.nanoTime();
    system.compose("up", "--detach", "--no-build", "--no-deps", "gateway");
    workload.awaitBack("gateway container removed, docker compose up", begin, BOUND);
    shouldBeAbleToDeploy();
  }

  @ParameterizedTest
  @ValueSource(strings = {"back-node", "back-java"})
  void shouldStartAHandlerAgainThatWasKilled(String function) {
    List<String> handlers = system.handlers(function);
    try (Crash crash = Crash.of(system, handlers.getFirst())) {
      crash.now();
      long begin = System.nanoTime();
      workload.awaitBack("kill -9 of one of " + handlers.size() + " handlers", begin, BOUND);
      workload.awaitHealthy(function, handlers.size());
      workload.awaitBack("  all its handlers healthy", begin, BOUND);
    }
  }

  @Test
  void shouldInvokeOnWhileManagerAndBrokerAreAway() {
    try (Workload.Traffic traffic = workload.traffic();
        Crash manager = Crash.of(system, system.container("manager"));
        Crash broker = Crash.of(system, system.container("broker"))) {
      traffic.awaitMore(50);
      manager.now();
      broker.now();
      traffic.awaitMore(200);
      system.awaitManager();
      system.compose("stop", "manager", "broker");
      traffic.awaitMore(300);
      system.compose("start", "manager", "broker");
      system.awaitManager();
      traffic.awaitMore(100);
    }
    shouldBeAbleToDeploy();
  }

  @Test
  void shouldLeaveNothingOfANewFunctionWhoseManagerDiedWhileItStarted() {
    try (Crash crash = Crash.of(system, system.container("manager"))) {
      shouldFailToDeploy("back-new", crash, 2);
    }
    system.awaitManager();
    within(BOUND)
        .untilAsserted(
            () -> {
              assertThat(system.traces("back-new")).isEmpty();
              assertThat(system.files("back-new")).isEmpty();
            });
    system.rest().get("/functions/back-new").then().statusCode(404);
    assertThat(workload.answers("back-new")).isFalse();
  }

  @Test
  void shouldServeTheOldVersionWhenTheManagerDiedWhileTheNewOneStarted() {
    workload.with("back-updated", "runtime=nodejs&handlers=2", Code.answering("old"), "old");
    List<String> before = system.traces("back-updated");
    try (Workload.Traffic traffic = workload.traffic();
        Crash crash = Crash.of(system, system.container("manager"))) {
      shouldFailToDeploy("back-updated", crash, 4);
      system.awaitManager();
      within(BOUND)
          .untilAsserted(
              () ->
                  assertThat(system.traces("back-updated"))
                      .containsExactlyInAnyOrderElementsOf(before));
      traffic.awaitMore(50);
    }
    workload.without("back-updated");
  }

  /**
   * @param running how many handlers there are when the crash comes, two of them starting
   */
  private void shouldFailToDeploy(String function, Crash crash, int running) {
    CompletableFuture<Integer> answer =
        Workload.put(system, function, "runtime=nodejs&handlers=2", Gate.whileItLoads("new"));
    within(BOUND).until(() -> system.running(function).size() == running);
    assertThat(answer).isNotDone();
    crash.now();
    Gate.openThoseThatRun(system, function);
    assertThat(answer).failsWithin(patient(BOUND));
  }

  private void shouldBeAbleToDeploy() {
    system.awaitManager();
    workload.with("back-later", "runtime=nodejs", Code.answering("later"), "later");
    workload.without("back-later");
    within(BOUND).untilAsserted(() -> assertThat(system.traces("back-later")).isEmpty());
  }
}
