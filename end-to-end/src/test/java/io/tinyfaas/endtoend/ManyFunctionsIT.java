package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** More functions than Docker has networks of its own, each on its own. */
class ManyFunctionsIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.TCP;
  private static final Duration BOUND = Duration.ofSeconds(90);

  private static final List<String> NAMES =
      IntStream.rangeClosed(1, 40).mapToObj(n -> "many-" + n).toList();

  private static Workload workload;

  @BeforeAll
  static void deploy() {
    workload = new Workload(SYSTEM);
    long begin = System.nanoTime();
    inParallel(
        name ->
            workload.with(
                name,
                "runtime=nodejs&handlers=1&memory=64M",
                Code.answering("I am " + name + "."),
                "I am " + name + "."));
    workload.awaitBack("40 functions deployed", begin, BOUND);
  }

  @AfterAll
  static void delete() {
    inParallel(workload::without);
    workload.close();
    String ours = "label=tinyfaas.instance=" + SYSTEM.project();
    within(BOUND)
        .untilAsserted(
            () ->
                assertThat(
                        SYSTEM.docker("network", "ls", "--format", "{{.Name}}", "--filter", ours))
                    .noneMatch(network -> network.contains("many-")));
  }

  @Test
  void shouldServeAllOfThemFromAnotherGatewayContainer() {
    SYSTEM.compose("rm", "--stop", "--force", "gateway");
    SYSTEM.compose("up", "--detach", "--no-build", "--no-deps", "gateway");
    workload.awaitBack("40 functions, gateway container made again", System.nanoTime(), BOUND);
  }

  @Test
  void shouldServeAllOfThemAfterTheGatewayWasKilled() {
    try (Crash crash = Crash.of(SYSTEM, SYSTEM.container("gateway"))) {
      crash.now();
      workload.awaitBack("40 functions, kill -9 of the gateway", System.nanoTime(), BOUND);
    }
  }

  @Test
  void shouldServeAllOfThemAfterARestart() {
    long begin = System.nanoTime();
    SYSTEM.compose("restart");
    workload.awaitBack("40 functions, docker compose restart", begin, BOUND);
  }

  /** What is in a function's network with it must not answer there. */
  @Test
  void shouldListenInTheControlNetworkOnly() {
    for (String service : List.of("gateway", "manager")) {
      String control = controlAddress(service);
      List<String> listening =
          SYSTEM.docker(
              "exec",
              SYSTEM.container(service),
              "bash",
              "-c",
              // In hexadecimal, bytes of an IPv4 address in reverse; 0A is LISTEN, 07 any UDP
              // socket.
              "for f in tcp tcp6 udp udp6; do while read -r _ local _ state _; do"
                  + " [ $state != 0A ] && [ $state != 07 ] || echo $local; done </proc/net/$f; done");
      assertThat(listening)
          .isNotEmpty()
          .allSatisfy(
              local ->
                  assertThat(address(local)).as(service + " " + local).isIn(control, "127.0.0.11"));
    }
  }

  private static String controlAddress(String service) {
    return SYSTEM
        .docker(
            "inspect",
            "--format",
            "{{(index .NetworkSettings.Networks \"" + SYSTEM.project() + "--control\").IPAddress}}",
            SYSTEM.container(service))
        .getFirst();
  }

  /** Of a line in {@code /proc/net/tcp}, or of an IPv4 address mapped into IPv6. */
  private static String address(String local) {
    String hex = local.substring(0, local.indexOf(':'));
    String last = hex.substring(hex.length() - 8);
    return IntStream.of(3, 2, 1, 0)
        .mapToObj(n -> Integer.toString(Integer.parseInt(last, 2 * n, 2 * n + 2, 16)))
        .reduce((a, b) -> a + "." + b)
        .orElseThrow();
  }

  private static void inParallel(Consumer<String> work) {
    try (ExecutorService four = Executors.newFixedThreadPool(4)) {
      NAMES.stream()
          .map(name -> CompletableFuture.runAsync(() -> work.accept(name), four))
          .toList()
          .forEach(CompletableFuture::join);
    }
  }
}
