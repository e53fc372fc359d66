package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What 64 devices see, each of which asks again as soon as it is answered, while the function under
 * them is changed. A failure is no answer or a code other than 2.05.
 */
class UpdateUnderLoadIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final int DEVICES = 64;
  private static final Duration BETWEEN = Duration.ofMillis(500);

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  /** Lets the load go on for a while, with every device answered twice in it. */
  private static void letRun(Load load) {
    List<Long> before = load.perDevice();
    long start = System.nanoTime();
    within(Duration.ofMinutes(1))
        .until(
            () -> {
              List<Long> now = load.perDevice();
              for (int n = 0; n < now.size(); n++) {
                if (now.get(n) < before.get(n) + 2) {
                  return !load.failures().isEmpty();
                }
              }
              return System.nanoTime() - start > BETWEEN.toNanos();
            });
  }

  /** Neither a failed request, nor an answer of a version older than the last acknowledged one. */
  @Test
  void shouldReplaceFiveVersionsWithoutAFailedOrWrongAnswer() {
    AtomicInteger acknowledged = new AtomicInteger(1);
    functions.deploy("update", Code.answering("1"));
    try (Load load = new Load(SYSTEM, "update", DEVICES, acknowledged::get)) {
      letRun(load);
      for (int version = 2; version <= 6; version++) {
        functions.deploy("update", Code.answering(Integer.toString(version)));
        acknowledged.set(version);
        letRun(load);
      }
      load.end();

      assertThat(load.failures()).isEmpty();
      assertThat(load.perDevice()).allMatch(answers -> answers > 10);
    }
  }

  /** Not one failed request. */
  @Test
  void shouldScaleUpAndDownWithoutAFailedRequest() {
    functions.deploy("scale", Code.answering("1"));
    try (Load load = new Load(SYSTEM, "scale", DEVICES, () -> 1)) {
      letRun(load);
      for (int handlers : List.of(4, 1)) {
        functions.patch("scale", "{\"handlers\": " + handlers + "}").then().statusCode(200);
        letRun(load);
        eventually().untilAsserted(() -> assertThat(SYSTEM.handlers("scale")).hasSize(handlers));
      }
      letRun(load);
      load.end();

      assertThat(load.failures()).isEmpty();
    }
  }

  /**
   * Rolling back, which starts no build, and forth again, which neither does: not one failed
   * request.
   */
  @Test
  void shouldRollBackWithoutAFailedRequest() {
    functions.deploy("rollback", Code.answering("1"));
    functions.deploy("rollback", Code.answering("2"));
    try (Load load = new Load(SYSTEM, "rollback", DEVICES, () -> 1)) {
      letRun(load);
      for (String version : List.of("", "?version=2")) {
        SYSTEM.rest().post("/functions/rollback/rollback" + version).then().statusCode(200);
        letRun(load);
      }
      load.end();

      assertThat(load.failures()).isEmpty();
    }
  }

  /**
   * Of two handlers one is killed. Only requests that were under way when that was done may fail,
   * each device's one at most, with 5.02: the function may have run, so nobody sends them again.
   * Every request sent after the kill is answered by the other handler, and the killed one comes
   * back.
   */
  @Test
  void shouldFailNothingButWhatAKilledHandlerHadInItsHands() {
    functions.deploy("kill", Map.of("runtime", "nodejs", "handlers", 2), Code.answering("1"));
    try (Load load = new Load(SYSTEM, "kill", DEVICES, () -> 1)) {
      letRun(load);
      String victim = SYSTEM.handlers("kill").getFirst();

      SYSTEM.docker("kill", "--signal", "KILL", victim);
      long killed = System.nanoTime();

      eventually()
          .untilAsserted(
              () ->
                  assertThat(functions.get("kill").jsonPath().getList("handlers.health"))
                      .containsExactly("healthy", "healthy"));
      letRun(load);
      load.end();

      assertThat(load.failures())
          .hasSizeLessThanOrEqualTo(DEVICES)
          .allSatisfy(
              failure -> {
                assertThat(failure.sent()).isLessThan(killed);
                assertThat(failure.outcome()).startsWith("5.02");
              });
    }
  }
}
