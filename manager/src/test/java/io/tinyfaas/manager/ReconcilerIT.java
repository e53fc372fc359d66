package io.tinyfaas.manager;

import static io.tinyfaas.harness.Docker.docker;
import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusMock;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.harness.Broker;
import io.tinyfaas.manager.archive.Zip;
import io.tinyfaas.manager.deploy.FunctionState.HandlerState;
import io.tinyfaas.manager.handler.BlindInventory;
import io.tinyfaas.manager.handler.Ending;
import io.tinyfaas.manager.handler.EngineInventory;
import io.tinyfaas.manager.handler.HandlerContainers;
import io.tinyfaas.manager.handler.Health;
import io.tinyfaas.manager.reconcile.FunctionRunner;
import io.tinyfaas.manager.reconcile.HandlerMonitor;
import io.tinyfaas.manager.reconcile.LongBackOff;
import io.tinyfaas.manager.reconcile.Reconciler;
import io.tinyfaas.manager.spec.Specs;
import jakarta.inject.Inject;
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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What should run runs again, whatever happens to it. */
@Tag("slow")
@QuarkusTest
@WithTestResource(RealParts.class)
class ReconcilerIT extends FunctionOnAnEngine {

  /** In which a handler might be started that must not be. */
  private static final Duration QUIET = Duration.ofSeconds(1);

  @Inject Reconciler reconciler;
  @Inject HandlerMonitor monitor;
  @Inject HandlerContainers handlerContainers;

  /** By {@link RealParts}. */
  Broker broker;

  @Test
  void shouldRestartAHandlerThatDies() {
    deploy(spec(), Zip.saying("alive"));

    docker("kill", "--signal", "KILL", containers().getFirst());

    eventually()
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(invoke(onlyHandler())).endsWith("alive"));
  }

  @Test
  void shouldTellHowAHandlerEndedThatIsStartedAgain() {
    deploy(spec(), Zip.saying("alive"));
    assertThat(seenHandler().restarts()).isZero();
    assertThat(seenHandler().lastEnd()).isEmpty();
    String id = onlyHandler().id();
    Instant before = Instant.now();

    try (LogLines log = new LogLines()) {
      killAndAwaitTheNextStart();
      killAndAwaitTheNextStart();

      eventually()
          .untilAsserted(() -> assertThat(seenHandler().health()).isEqualTo(Health.HEALTHY));
      assertThat(log.of("event=handler-ended"))
          .containsExactly(ended(id, 137, false), ended(id, 137, false));
    }
    assertThat(seenHandler().id()).isEqualTo(id);
    assertThat(seenHandler().restarts()).isEqualTo(2);
    Ending last = seenHandler().lastEnd().orElseThrow();
    assertThat(last.exitCode()).isEqualTo(137);
    assertThat(last.outOfMemory()).isFalse();
    assertThat(last.at()).isBetween(before, Instant.now());
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

      eventually()
          .ignoreExceptions()
          .untilAsserted(() -> assertThat(invoke(onlyHandler())).endsWith("alive"));
      eventually().untilAsserted(() -> assertThat(seenHandler().restarts()).isEqualTo(1));
      assertThat(log.of("event=handler-ended")).containsExactly(ended(handler.id(), 137, true));
    }
    assertThat(seenHandler().lastEnd().orElseThrow().outOfMemory()).isTrue();
    assertThat(seenHandler().lastEnd().orElseThrow().exitCode()).isEqualTo(137);
  }

  @Test
  void shouldStartAHandlerThatDiesAgainAsSoonAsItsBackOffIsOver() {
    deploy(spec(), Zip.saying("alive"));
    // The look at all functions, every 5 s, would find it as well, only later.
    QuarkusMock.installMockForType(new BlindInventory(), EngineInventory.class);

    Instant before = Instant.now();
    killAndAwaitTheNextStart();
    Instant second = killAndAwaitTheNextStart();

    // Between the two starts is a pause of 2 s.
    assertThat(Duration.between(before, second)).isGreaterThan(Duration.ofMillis(1_900));
  }

  @Test
  void shouldDeleteAFunctionWhoseHandlerMayNotBeStartedYet() {
    deploy(spec(), Zip.saying("alive"));
    killIntoItsBackOff();

    deployer.delete(FUNCTION);

    assertNothingIsLeft();
    lookAsWhenTheBackOffIsOver();
    eventually().during(QUIET).until(() -> containers().isEmpty());
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
    lookAsWhenTheBackOffIsOver();
    eventually().during(QUIET).until(() -> containers().size() == 1);
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

    within(Duration.ofSeconds(40))
        .ignoreExceptions()
        .until(() -> !onlyHandler().id().equals(before) && invoke(onlyHandler()).endsWith("alive"));
    eventually().until(() -> containers().size() == 1);
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
    eventually()
        .until(() -> containers().stream().allMatch(c -> docker("logs", c).contains("hangs")));

    deploy(
        Specs.of(
            """
            {"runtime": "nodejs", "cpus": 0.5, "timeout": "1m"}"""),
        Zip.saying("mended"));

    // While they are stopped, nothing else is done with the function.
    eventually().until(() -> containers().size() == 1);
    assertThat(invoke(onlyHandler())).endsWith("mended");
  }

  @Test
  void shouldRunAgainWhatSomebodyRemoved() {
    deploy(spec(), Zip.saying("alive"));

    // Otherwise the manager might start the container again before its image is removed.
    try (FailingEngine.Held _ = FailingEngine.holds("GET /images/")) {
      String image = images().getFirst();
      containers().forEach(container -> docker("rm", "--force", container));
      docker("image", "rm", image);
    }

    eventually()
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

    eventually().untilAsserted(() -> assertThat(images()).isEmpty());
  }

  @Test
  void shouldPublishAgainAfterTheBrokerWasAwayAndForgot() {
    deploy(spec(), Zip.saying("one"));

    broker.kill();
    docker("exec", broker.container(), "rm", "-f", "/var/lib/mosquitto/mosquitto.db");
    broker.start();

    eventually()
        .ignoreExceptions()
        .until(
            () -> {
              gateway = new PlayedGateway(vertx, brokerPort);
              return true;
            });
    eventually().until(() -> gateway.route("Thing").isPresent());
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

  /** It is down, and for the next minute nothing starts it. */
  private void killIntoItsBackOff() {
    LongBackOff.give(monitor, handlerContainers.list(FUNCTION).getFirst());
    docker("kill", "--signal", "KILL", containers().getFirst());
    eventually().until(() -> seenHandler().lastEnd().isPresent());
    String container = containers().getFirst();
    eventually()
        .during(QUIET)
        .until(
            () ->
                docker("inspect", "-f", "{{.State.Running}}", container).equals(List.of("false")));
  }

  private void lookAsWhenTheBackOffIsOver() {
    reconciler.signal(FUNCTION);
  }

  private static Instant killAndAwaitTheNextStart() {
    return killAndAwaitTheNextStart(containers().getFirst());
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
