package io.tinyfaas.manager;

import static io.tinyfaas.manager.RealParts.docker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.manager.deploy.FunctionState.HandlerState;
import io.tinyfaas.manager.deploy.Zip;
import io.tinyfaas.manager.docker.Ending;
import io.tinyfaas.manager.reconcile.FunctionRunner;
import io.tinyfaas.manager.store.Specs;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Logger;
import org.jboss.logmanager.ExtFormatter;
import org.jboss.logmanager.ExtHandler;
import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.formatters.PatternFormatter;
import org.junit.jupiter.api.Test;

/** What should run runs again, whatever happens to it. */
@QuarkusTest
@WithTestResource(RealParts.class)
class ReconcilerIT extends FunctionOnAnEngine {

  /** Of a handler that has died twice, and a little longer. */
  private static final Duration BACK_OFF = Duration.ofSeconds(3);

  @Test
  void shouldRestartAHandlerThatDies() {
    deploy(spec(), Zip.saying("alive"));

    docker("kill", "--signal", "KILL", containers().getFirst());

    await()
        .atMost(SOON)
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(invoke(onlyHandler())).endsWith("alive"));
  }

  @Test
  void shouldTellHowAHandlerEndedThatIsStartedAgain() {
    deploy(spec(), Zip.saying("alive"));
    assertThat(seenHandler().restarts()).isZero();
    assertThat(seenHandler().lastEnd()).isEmpty();
    String id = onlyHandler().id();

    try (LogLines log = new LogLines()) {
      killAndAwaitTheNextStart();
      killAndAwaitTheNextStart();

      await()
          .atMost(SOON)
          .untilAsserted(() -> assertThat(seenHandler().health()).isEqualTo("healthy"));
      assertThat(log.of("event=handler-ended"))
          .containsExactly(ended(id, 137, false), ended(id, 137, false));
    }
    assertThat(seenHandler().id()).isEqualTo(id);
    assertThat(seenHandler().restarts()).isEqualTo(2);
    Ending last = seenHandler().lastEnd().orElseThrow();
    assertThat(last.exitCode()).isEqualTo(137);
    assertThat(last.outOfMemory()).isFalse();
    assertThat(last.at()).isBetween(Instant.now().minus(SOON), Instant.now());
  }

  @Test
  void shouldTellThatAHandlerEndedForWantOfMemory() {
    deploy(
        spec(),
        Zip.node(
            """
            module.exports = (req, res) => {
              const held = []
              while (req.body === 'grow') held.push(Buffer.alloc(1 << 20, 1))
              res.send('alive')
            }
            """));
    Handler handler = onlyHandler();

    try (LogLines log = new LogLines()) {
      CompletableFuture.runAsync(() -> invoke(handler, "grow"));

      await()
          .atMost(SOON)
          .ignoreExceptions()
          .untilAsserted(() -> assertThat(invoke(onlyHandler())).endsWith("alive"));
      await().atMost(SOON).untilAsserted(() -> assertThat(seenHandler().restarts()).isEqualTo(1));
      assertThat(log.of("event=handler-ended")).containsExactly(ended(handler.id(), 137, true));
    }
    assertThat(seenHandler().lastEnd().orElseThrow().outOfMemory()).isTrue();
    assertThat(seenHandler().lastEnd().orElseThrow().exitCode()).isEqualTo(137);
  }

  @Test
  void shouldStartAHandlerThatDiesAgainAsSoonAsItsBackOffIsOver() {
    deploy(spec(), Zip.saying("alive"));

    Instant second = killAndAwaitTheNextStart();
    Instant third = killAndAwaitTheNextStart();

    // 2 s. The look at all functions, every 5 s, would be too late.
    assertThat(Duration.between(second, third))
        .isBetween(Duration.ofMillis(1500), Duration.ofSeconds(4));
  }

  @Test
  void shouldDeleteAFunctionWhoseHandlerMayNotBeStartedYet() {
    deploy(spec(), Zip.saying("alive"));
    killIntoItsBackOff();

    deployer.delete(FUNCTION);

    assertNothingIsLeft();
    await().during(BACK_OFF).atMost(SOON).until(() -> containers().isEmpty());
    assertThat(gateway.route("Thing")).isEmpty();
  }

  @Test
  void shouldServeAFunctionThatIsDeployedAgainWithinTheBackOffOfItsHandler() {
    deploy(spec(), Zip.saying("one"));
    killIntoItsBackOff();
    deployer.delete(FUNCTION);

    deploy(spec(), Zip.saying("two"));

    assertThat(invoke(onlyHandler())).endsWith("two");
    Instant start = startOf(containers().getFirst());
    await().during(BACK_OFF).atMost(SOON).until(() -> containers().size() == 1);
    assertThat(startOf(containers().getFirst())).isEqualTo(start);
    assertThat(invoke(onlyHandler())).endsWith("two");
  }

  @Test
  void shouldReplaceAHandlerThatStopsAnswering() {
    deploy(
        spec(),
        Zip.node(
            """
            module.exports = (req, res) => {
              if (req.body === 'hang') while (true);
              res.send('alive')
            }
            """));
    String before = onlyHandler().id();

    CompletableFuture.runAsync(() -> invoke(onlyHandler(), "hang"));

    await()
        .atMost(Duration.ofSeconds(40))
        .ignoreExceptions()
        .until(() -> !onlyHandler().id().equals(before) && invoke(onlyHandler()).endsWith("alive"));
    await().atMost(SOON).until(() -> containers().size() == 1);
  }

  @Test
  void shouldNotHoldAFunctionUpForHandlersThatHang() {
    deploy(
        Specs.of(
            """
            {"runtime": "nodejs", "handlers": 3, "cpus": 0.5, "timeout": "1m"}"""),
        Zip.node(
            """
            module.exports = () => {
              console.log('hangs')
              while (true);
            }
            """));
    handlers().forEach(handler -> Thread.startVirtualThread(() -> invoke(handler)));
    await()
        .atMost(SOON)
        .until(() -> containers().stream().allMatch(c -> docker("logs", c).contains("hangs")));

    deploy(
        Specs.of(
            """
            {"runtime": "nodejs", "cpus": 0.5, "timeout": "1m"}"""),
        Zip.saying("mended"));

    // While they are stopped, nothing else is done with the function.
    await().atMost(SOON).until(() -> containers().size() == 1);
    assertThat(invoke(onlyHandler())).endsWith("mended");
  }

  @Test
  void shouldRunAgainWhatSomebodyRemoved() {
    deploy(spec(), Zip.saying("alive"));

    String image = images().getFirst();
    // The manager may start the container again before its image is removed.
    await()
        .atMost(SOON)
        .ignoreExceptions()
        .until(
            () -> {
              containers().forEach(container -> docker("rm", "--force", container));
              docker("image", "rm", image);
              return true;
            });

    await()
        .atMost(SOON)
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(invoke(onlyHandler())).endsWith("alive"));
  }

  @Test
  void shouldRemoveAnImageThatHasLostItsTag() {
    deploy(spec(), Zip.saying("hello"));
    String tag = docker("inspect", "-f", "{{.Config.Image}}", containers().getFirst()).getFirst();
    docker("image", "rm", "--force", tag);
    assertThat(images()).hasSize(1);

    deployer.delete(FUNCTION);

    await().atMost(SOON).untilAsserted(() -> assertThat(images()).isEmpty());
  }

  @Test
  void shouldPublishAgainAfterTheBrokerWasAwayAndForgot() {
    deploy(spec(), Zip.saying("one"));

    RealParts.stopBroker();
    RealParts.startBroker();

    await()
        .atMost(SOON)
        .ignoreExceptions()
        .until(
            () -> {
              gateway = new PlayedGateway(vertx, brokerPort);
              return true;
            });
    await().atMost(SOON).until(() -> gateway.route("Thing").isPresent());
  }

  private HandlerState seenHandler() {
    List<HandlerState> seen = states.get(FUNCTION).handlers();
    assertThat(seen).hasSize(1);
    return seen.getFirst();
  }

  private static String ended(String handler, int exitCode, boolean outOfMemory) {
    return "event=handler-ended function=Thing handler=%s exit-code=%d out-of-memory=%b"
        .formatted(handler, exitCode, outOfMemory);
  }

  /** It is down, and for the next two seconds nothing starts it. */
  private static void killIntoItsBackOff() {
    killAndAwaitTheNextStart();
    String container = containers().getFirst();
    docker("kill", "--signal", "KILL", container);
    await()
        .pollInterval(Duration.ofMillis(50))
        .atMost(BACK_OFF)
        .until(
            () ->
                docker("inspect", "-f", "{{.State.Running}}", container).equals(List.of("false")));
  }

  private static Instant killAndAwaitTheNextStart() {
    String container = containers().getFirst();
    Instant before = startOf(container);
    docker("kill", "--signal", "KILL", container);
    return await()
        .pollInterval(Duration.ofMillis(50))
        .atMost(SOON)
        .until(() -> startOf(container), start -> start.isAfter(before));
  }

  private static Instant startOf(String container) {
    return Instant.parse(docker("inspect", "-f", "{{.State.StartedAt}}", container).getFirst());
  }

  /** What is logged of functions' handlers until it is closed. */
  private static final class LogLines extends ExtHandler {

    private final Logger logger = Logger.getLogger(FunctionRunner.class.getName());
    private final ExtFormatter message = new PatternFormatter("%s");
    private final List<String> lines = new CopyOnWriteArrayList<>();

    LogLines() {
      logger.addHandler(this);
    }

    List<String> of(String event) {
      return lines.stream().filter(line -> line.startsWith(event + " ")).toList();
    }

    @Override
    protected void doPublish(ExtLogRecord line) {
      lines.add(message.format(line));
    }

    @Override
    public void close() {
      logger.removeHandler(this);
    }
  }
}
