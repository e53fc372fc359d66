package io.tinyfaas.endtoend;

import static io.tinyfaas.endtoend.MixedLoad.ALARM;
import static io.tinyfaas.endtoend.MixedLoad.MOODY;
import static io.tinyfaas.endtoend.MixedLoad.POISON;
import static io.tinyfaas.endtoend.MixedLoad.SLOW;
import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Seed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * A box that loses its power again and again while calls come in by all ways: all of its containers
 * are killed at once, and of its disk all is lost that was not synced. A ledger that is kept
 * outside accounts for each call that was accepted.
 *
 * <p>What a function has run it prints as it begins, and what it has printed is the engine's, which
 * keeps its power.
 */
@Timeout(value = 60, unit = TimeUnit.MINUTES)
class PowerLossIT {

  private static final Installation SYSTEM = Installation.POWERLESS;
  private static final Duration BOUND = Duration.ofSeconds(90);
  private static final List<String> FUNCTIONS = List.of(MOODY, SLOW, ALARM);
  private static final List<String> SERVICES =
      Stream.of("broker", "manager", "gateway").map(SYSTEM::container).toList();

  /** Each so-many-th time while the box may still be starting. */
  private static final int EARLY = 5;

  /** Of calls that have ended, so many are asked for after each loss. */
  private static final int SAMPLE = 100;

  private static final int LONGEST_MILLIS = 3_000;

  /** For who wants to know; the test does not. */
  private static final Path FIGURES = Path.of("target", "power-loss.txt");

  private static final String WITNESS =
      """
      const life = Math.random().toString(36).slice(2);
      let runs = 0;
      const witness = ({headers: h}) => console.log('ran', `${life}.${++runs}`, h['x-tinyfaas-call'], h['x-tinyfaas-attempt'],
        Date.now(), h['x-tinyfaas-result-of'] ?? '', h['x-tinyfaas-scheduled-for'] ?? '');
      """;

  private static LosingDisk disk;

  @RegisterExtension private final Seed seed = new Seed();
  @RegisterExtension private final Functions functions = new Functions(SYSTEM);
  @TempDir private Path folder;

  private final CallLedger ledger = new CallLedger();

  @BeforeAll
  static void start() {
    disk = new LosingDisk(SYSTEM.project(), "calls", "store", "broker-data");
    SYSTEM.start();
  }

  @AfterAll
  static void remove() {
    SYSTEM.remove();
    disk.close();
  }

  @Tag("alone")
  @Test
  void shouldAccountForEachCall() throws IOException {
    losePower(Integer.getInteger("tinyfaas.losses", 40));
  }

  private void losePower(int times) throws IOException {
    SYSTEM.awaitManager();
    deploy();
    Random random = seed.random();
    CallAudit audit = new CallAudit(SYSTEM, ledger, FUNCTIONS, seed.random());
    try (MixedLoad load = new MixedLoad(SYSTEM, ledger, seed.random(), folder)) {
      for (int time = 1; time <= times; time++) {
        if (time % EARLY != 0) {
          load.awaitOneMoreByEachWay(BOUND);
          audit.expectAllKnown(SAMPLE);
          assertThat(load.askAgain()).as("another call for the same key").isEmpty();
        }
        audit.watch(Duration.ofMillis(random.nextInt(LONGEST_MILLIS)));
        losePower(audit);
        System.out.printf(
            "power lost %d times, %d calls accepted%n", time, ledger.accepted().size());
        assertThat(load.failures()).isEmpty();
      }
      load.awaitOneMoreByEachWay(BOUND);
    }
    within(BOUND).until(() -> functions.patch(ALARM, "{\"schedules\": []}").statusCode() == 200);
    within(BOUND).until(audit::isIdle);
    audit.expectAllAccountedFor();
    Files.writeString(FIGURES, audit.figures(times));
  }

  private void deploy() {
    functions.deploy(
        ALARM,
        Code.node(
            WITNESS + "module.exports = (req, res) => { witness(req); res.send('heard'); };"));
    functions.deploy(
        SLOW,
        Map.of("runtime", "nodejs", "delivery", "durable"),
        Code.node(
            WITNESS
                + """
                module.exports = (req, res) => {
                  witness(req);
                  setTimeout(() => res.send('at last'), 200 + 1_000 * Math.random());
                };
                """));
    functions.deploy(
        MOODY,
        Map.of(
            "runtime",
            "nodejs",
            "async.retries",
            "2",
            "async.backoff",
            "200ms",
            "async.onFailure",
            ALARM),
        Code.node(
            WITNESS
                + """
                module.exports = (req, res) => {
                  witness(req);
                  if (req.body === '%s') return res.status(422).send('no report');
                  if (Math.random() < 0.3) return res.status(500).send('not now');
                  res.send('kept');
                };
                """
                    .formatted(POISON)));
    String schedule =
        "{\"schedules\": [{\"every\": \"1s\", \"missed\": \"all\", \"overlap\": \"allow\"}]}";
    assertThat(functions.patch(ALARM, schedule).statusCode()).isEqualTo(200);
  }

  /** As the engine does when the box has power again, this starts what is to run always. */
  private void losePower(CallAudit audit) {
    SYSTEM.docker(with(List.of("kill", "--signal=STOP"), SERVICES));
    disk.cutPower();
    SYSTEM.docker(with(List.of("kill"), SYSTEM.runningContainers()));
    within(BOUND).until(() -> SYSTEM.runningContainers().isEmpty());
    ledger.cut(Instant.now());
    audit.readRuns();
    disk.restorePower();
    SYSTEM.docker(with(List.of("start"), SERVICES));
  }

  private static String[] with(List<String> command, List<String> containers) {
    return Stream.concat(command.stream(), containers.stream()).toArray(String[]::new);
  }
}
