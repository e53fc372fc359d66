package io.tinyfaas.manager;

import static io.tinyfaas.manager.RealParts.INSTANCE;
import static io.tinyfaas.manager.RealParts.docker;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;

import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.manager.deploy.FunctionArchive;
import io.tinyfaas.manager.deploy.FunctionDeployer;
import io.tinyfaas.manager.deploy.FunctionDeployer.Deployment;
import io.tinyfaas.manager.deploy.FunctionStates;
import io.tinyfaas.manager.deploy.Zip;
import io.tinyfaas.manager.docker.HostAddresses;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.store.FunctionSpec;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.store.Specs;
import io.vertx.core.Vertx;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The deploy path and the reconciler on a real engine. */
@QuarkusTest
@QuarkusTestResource(value = RealParts.class, restrictToAnnotatedClass = true)
class FunctionDeployerIT {

  private static final FunctionName FUNCTION = new FunctionName("Thing");
  private static final Duration SOON = Duration.ofSeconds(20);

  @Inject FunctionDeployer deployer;
  @Inject FunctionStates states;
  @Inject HostAddresses host;
  @Inject FunctionStore store;
  @Inject Vertx vertx;

  @ConfigProperty(name = "tinyfaas.broker-port")
  int brokerPort;

  @ConfigProperty(name = "tinyfaas.sockets")
  Path sockets;

  private final Instant began = Instant.now();

  private PlayedGateway gateway;

  @BeforeEach
  void connectGateway() throws Exception {
    gateway = new PlayedGateway(vertx, brokerPort);
    gateway.awaitManager(deployer);
  }

  @AfterEach
  void deleteAll() throws Exception {
    gateway.confirms(true);
    gateway.drains(Set.of());
    for (FunctionName function : store.functions()) {
      deployer.delete(function);
    }
    gateway.disconnect();
    assertNothingIsLeft();
  }

  @Test
  void shouldKnowTheBoxsAddresses() throws IOException {
    try (DatagramSocket outward = new DatagramSocket()) {
      // Sends nothing: only has the system choose the address that it would send from.
      outward.connect(new InetSocketAddress("192.0.2.1", 9));
      assertThat(host.list()).contains(outward.getLocalAddress().getHostAddress());
    }
  }

  @Test
  void shouldServeANewFunction() {
    Deployment deployment = deploy(spec(), Zip.saying("hello"));

    assertThat(deployment.created()).isTrue();
    assertThat(deployment.state().version().number()).isEqualTo(1);
    assertThat(deployment.state().handlers())
        .singleElement()
        .extracting(handler -> handler.health())
        .isEqualTo("healthy");
    assertThat(invoke(onlyHandler())).contains("200 OK").endsWith("hello");
  }

  @Test
  void shouldRunAHandlerWithoutRightsAndWithinLimits() {
    deploy(spec(), Zip.saying("hello"));

    String container = containers().getFirst();
    assertThat(
            docker(
                "inspect",
                "-f",
                "{{.Config.User}} {{.HostConfig.NetworkMode}} {{.HostConfig.ReadonlyRootfs}}"
                    + " {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.Memory}}"
                    + " {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}}"
                    + " {{.HostConfig.PidsLimit}} {{.HostConfig.Privileged}}",
                container))
        .containsExactly(
            "65534:65534 none true [ALL] [no-new-privileges] 134217728 134217728 500000000 256"
                + " false");
  }

  @Test
  void shouldReplaceAVersionAndRemoveWhatServedBefore() {
    deploy(spec(), Zip.saying("one"));
    String before = onlyHandler().id();

    Deployment second = deploy(spec(), Zip.saying("two"));

    assertThat(second.created()).isFalse();
    assertThat(second.state().version().number()).isEqualTo(2);
    assertThat(invoke(onlyHandler())).endsWith("two");
    assertThat(onlyHandler().id()).isNotEqualTo(before);
    await().atMost(SOON).until(() -> containers().size() == 1);
  }

  @Test
  void shouldNotStopAHandlerThatTheGatewayStillWaitsFor() {
    deploy(spec(), Zip.saying("one"));
    String before = onlyHandler().id();
    gateway.drains(Set.of(before));

    deploy(spec(), Zip.saying("two"));
    await()
        .during(Duration.ofSeconds(7))
        .atMost(SOON)
        .until(() -> containerNames().contains(INSTANCE + "-Thing-" + before));
    gateway.drains(Set.of());

    await().atMost(SOON).until(() -> containers().size() == 1);
  }

  @Test
  void shouldTakeTheSameArchiveAndSpecificationForNoNewVersion() {
    deploy(spec(), Zip.saying("same"));
    String before = onlyHandler().id();

    Deployment again = deploy(spec(), Zip.saying("same"));

    assertThat(again.changed()).isFalse();
    assertThat(again.state().version().number()).isEqualTo(1);
    assertThat(onlyHandler().id()).isEqualTo(before);
  }

  @Test
  void shouldScaleWithoutRestartingTheHandlersThatRun() {
    deploy(spec(), Zip.saying("hello"));
    String first = onlyHandler().id();

    deployer.update(FUNCTION, _ -> spec("nodejs", 3, 0.5));
    assertThat(handlers()).hasSize(3).extracting(Handler::id).contains(first);

    deployer.update(FUNCTION, _ -> spec());
    await().atMost(SOON).until(() -> handlers().size() == 1 && containers().size() == 1);
  }

  @Test
  void shouldRollBackWithoutABuildAndWithOneWhereTheImageIsGone() {
    deploy(spec(), Zip.saying("one"));
    String image = docker("inspect", "-f", "{{.Image}}", containers().getFirst()).getFirst();
    deploy(spec(), Zip.saying("two"));

    deployer.rollback(FUNCTION, OptionalInt.empty());
    assertThat(invoke(onlyHandler())).endsWith("one");
    await().atMost(SOON).until(() -> containers().size() == 1);
    assertThat(docker("inspect", "-f", "{{.Image}}", containers().getFirst()))
        .containsExactly(image);

    deployer.rollback(FUNCTION, OptionalInt.of(2));
    await().atMost(SOON).until(() -> containers().size() == 1);
    docker("image", "rm", image);
    deployer.rollback(FUNCTION, OptionalInt.of(1));
    assertThat(invoke(onlyHandler())).endsWith("one");
  }

  @Test
  void shouldRefuseToRollBackToAVersionThatThereIsNot() {
    deploy(spec(), Zip.saying("one"));

    assertProblem(
        ProblemType.UNKNOWN_VERSION, () -> deployer.rollback(FUNCTION, OptionalInt.empty()));
    assertProblem(
        ProblemType.UNKNOWN_VERSION, () -> deployer.rollback(FUNCTION, OptionalInt.of(7)));
  }

  record Broken(String what, FunctionSpec spec, FunctionArchive archive, ProblemType type) {
    @Override
    public String toString() {
      return what;
    }
  }

  static List<Broken> broken() {
    return List.of(
        new Broken(
            "does not load", spec(), Zip.node("syntax error here"), ProblemType.START_FAILED),
        new Broken("exits", spec(), Zip.node("process.exit(3)"), ProblemType.START_FAILED),
        new Broken("never healthy", spec(), Zip.node("while (true);"), ProblemType.START_FAILED),
        new Broken(
            "leaves a file beside its socket",
            spec(),
            Zip.node(
                "require('fs').writeFileSync('/run/tinyfaas/more', 'x');"
                    + "module.exports = (req, res) => res.send('hello')"),
            ProblemType.START_FAILED),
        new Broken(
            "a build that fails",
            spec(),
            Zip.of(
                Map.of(
                    "index.js",
                    "module.exports = 1",
                    "package.json",
                    "{\"dependencies\": {\"there-is-no-such-package-tinyfaas\": \"1.0.0\"}}")),
            ProblemType.BUILD_FAILED),
        new Broken(
            "nothing the runtime can run",
            spec(),
            Zip.of(Map.of("fn.txt", "x")),
            ProblemType.INVALID_ARCHIVE),
        new Broken(
            "no such runtime", spec("cobol", 1, 0.5), Zip.saying("x"), ProblemType.UNKNOWN_RUNTIME),
        new Broken(
            "more cores than there are",
            spec("nodejs", 1, 64),
            Zip.saying("x"),
            ProblemType.INVALID_SPEC));
  }

  @ParameterizedTest
  @MethodSource("broken")
  void shouldGoOnWithTheVersionThatRanAndLeaveNothingOf(Broken broken) {
    deploy(spec(), Zip.saying("good"));
    List<String> containers = containers();
    List<String> images = images();

    assertProblem(broken.type(), () -> deploy(broken.spec(), broken.archive()));

    assertThat(invoke(onlyHandler())).endsWith("good");
    assertThat(containers()).isEqualTo(containers);
    assertThat(store.versions(FUNCTION)).hasSize(1);
    await().atMost(SOON).until(() -> images().equals(images));
  }

  @ParameterizedTest
  @MethodSource("broken")
  void shouldLeaveNothingOfANewFunctionThat(Broken broken) {
    assertProblem(broken.type(), () -> deploy(broken.spec(), broken.archive()));

    assertThat(store.functions()).isEmpty();
    assertThat(gateway.route("Thing")).isEmpty();
    assertNothingIsLeft();
  }

  @Test
  void shouldSayWhatAFunctionPrintedThatDoesNotStart() {
    assertThatThrownBy(() -> deploy(spec(), Zip.node("throw new Error('no database here')")))
        .asInstanceOf(type(ProblemException.class))
        .extracting(problem -> String.join("\n", problem.output()))
        .asString()
        .contains("no database here");
  }

  @Test
  void shouldWaitForABuildThatIsSilentForLongerThanACallMayBe() {
    deploy(
        spec(),
        Zip.of(
            Map.of(
                "index.js",
                "module.exports = (req, res) => res.send('built')",
                "package.json",
                "{\"scripts\": {\"preinstall\": \"sleep 7\"},"
                    + " \"dependencies\": {\"is-number\": \"7.0.0\"}}")));

    assertThat(invoke(onlyHandler())).endsWith("built");
  }

  @Test
  void shouldRunNoBuildCommandForAPackageJsonThatAsksForNothing() {
    deploy(spec(), withPackageJson("{\"name\": \"fn\", \"dependencies\": {}}"));
    assertThat(invoke(onlyHandler())).endsWith("deployed");
    assertThat(startsOfBuilds()).isEmpty();

    deploy(spec(), withPackageJson("{\"name\": \"fn\", \"scripts\": {\"install\": \"true\"}}"));
    assertThat(invoke(onlyHandler())).endsWith("deployed");
    assertThat(startsOfBuilds()).hasSize(1);
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

  @Test
  void shouldGiveAFunctionNoNetworkButItsOwnLoopback() {
    deploy(
        spec(),
        Zip.node(
            """
            const { networkInterfaces } = require('node:os')
            const { lookup } = require('node:dns/promises')
            module.exports = async (req, res) => {
              const { address } = await lookup('localhost')
              res.send(Object.keys(networkInterfaces()) + ' ' + address)
            }
            """));

    assertThat(invoke(onlyHandler())).endsWith("\r\nlo 127.0.0.1");
  }

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
  void shouldStartAHandlerThatDiesAgainAsSoonAsItsBackOffIsOver() {
    deploy(spec(), Zip.saying("alive"));

    Instant second = killAndAwaitTheNextStart();
    Instant third = killAndAwaitTheNextStart();

    // 2 s. The look at all functions, every 5 s, would be too late.
    assertThat(Duration.between(second, third))
        .isBetween(Duration.ofMillis(1500), Duration.ofSeconds(4));
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
  void shouldRunAgainWhatSomebodyRemoved() {
    deploy(spec(), Zip.saying("alive"));

    docker("rm", "--force", containers().getFirst());
    docker("image", "rm", images().getFirst());

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
  void shouldChangeNothingWhileTheGatewayIsAway() {
    gateway.goesAway();

    assertProblem(ProblemType.GATEWAY_UNAVAILABLE, () -> deploy(spec(), Zip.saying("x")));

    assertThat(store.functions()).isEmpty();
    gateway.isBack();
    assertNothingIsLeft();
  }

  @Test
  void shouldGoBackToTheVersionBeforeWhenTheGatewayDoesNotTakeOver() {
    deploy(spec(), Zip.saying("one"));
    gateway.confirms(false);

    assertProblem(ProblemType.GATEWAY_UNAVAILABLE, () -> deploy(spec(), Zip.saying("two")));

    gateway.confirms(true);
    assertThat(store.active(FUNCTION).orElseThrow().number()).isEqualTo(1);
    await().atMost(SOON).until(() -> containers().size() == 1);
    assertThat(invoke(onlyHandler())).endsWith("one");
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

  @Test
  void shouldAnswerTwoDeploymentsOfOneNameAtOnce() {
    var one = CompletableFuture.supplyAsync(() -> deploy(spec(), Zip.saying("one")));
    var two = CompletableFuture.supplyAsync(() -> deploy(spec(), Zip.saying("two")));

    Set<Integer> numbers =
        Set.of(one.join(), two.join()).stream()
            .map(d -> d.state().version().number())
            .collect(Collectors.toSet());

    assertThat(numbers).containsExactlyInAnyOrder(1, 2);
    String last = one.join().state().version().number() == 2 ? "one" : "two";
    assertThat(invoke(onlyHandler())).endsWith(last);
  }

  @Test
  void shouldDeleteAFunctionThatIsBeingDeployed() {
    deploy(spec(), Zip.saying("one"));
    var second = CompletableFuture.supplyAsync(() -> deploy(spec(), Zip.saying("two")));
    await().atMost(SOON).until(() -> containers().size() == 2);

    deployer.delete(FUNCTION);

    assertThat(second.join().changed()).isTrue();
    assertThat(store.functions()).isEmpty();
    assertNothingIsLeft();
  }

  @Test
  void shouldRefuseToDeleteWhatThereIsNot() {
    assertProblem(ProblemType.UNKNOWN_FUNCTION, () -> deployer.delete(FUNCTION));
  }

  @Test
  void shouldShutTheSocketsFolderOnceAHandlerIsHealthy() throws IOException {
    deploy(
        spec(),
        Zip.node(
            """
            const fs = require('fs')
            module.exports = (req, res) => {
              try {
                fs.writeFileSync('/run/tinyfaas/fill', 'x')
                res.send('written')
              } catch (e) {
                res.send(e.code)
              }
            }
            """));

    assertThat(invoke(onlyHandler())).endsWith("EACCES");
    assertThat(Files.isSymbolicLink(sockets.resolve("Thing"))).isFalse();
  }

  // ---- what is asked above ----

  private Deployment deploy(FunctionSpec spec, FunctionArchive archive) {
    return deployer.deploy(FUNCTION, spec, archive);
  }

  private static FunctionSpec spec() {
    return spec("nodejs", 1, 0.5);
  }

  private static FunctionSpec spec(String runtime, int handlers, double cpus) {
    return Specs.of(
        """
        {"runtime": "%s", "handlers": %d, "cpus": %s, "timeout": "2s"}"""
            .formatted(runtime, handlers, cpus));
  }

  private List<Handler> handlers() {
    return gateway.route("Thing").map(Route::handlers).orElse(List.of());
  }

  private Handler onlyHandler() {
    assertThat(handlers()).hasSize(1);
    return handlers().getFirst();
  }

  private String invoke(Handler handler) {
    return invoke(handler, "");
  }

  private String invoke(Handler handler, String body) {
    Path socket = sockets.resolve(((HandlerEndpoint.Unix) handler.endpoint()).path());
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      channel.write(
          ByteBuffer.wrap(
              ("POST /fn HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: "
                      + body.length()
                      + "\r\n\r\n"
                      + body)
                  .getBytes(UTF_8)));
      return new String(Channels.newInputStream(channel).readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static List<String> containers() {
    return docker("ps", "-a", "-q", "--filter", ours(), "--filter", "label=tinyfaas.role=handler");
  }

  private static List<String> containerNames() {
    return docker("ps", "-a", "--format", "{{.Names}}", "--filter", ours());
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

  /** Since this test began. */
  private List<String> startsOfBuilds() {
    return docker(
        "events",
        "--since",
        began.toString(),
        "--until",
        Instant.now().toString(),
        "--filter",
        ours(),
        "--filter",
        "label=tinyfaas.role=build",
        "--filter",
        "event=start");
  }

  private static List<String> images() {
    return docker("image", "ls", "--format", "{{.ID}}", "--filter", ours());
  }

  private static String ours() {
    return "label=tinyfaas.instance=" + INSTANCE;
  }

  private void assertNothingIsLeft() {
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> {
              assertThat(containerNames()).containsExactly(INSTANCE + "-broker");
              assertThat(images()).isEmpty();
              assertThat(sockets).isDirectoryNotContaining(Files::isDirectory);
            });
    assertThat(docker("network", "ls", "-q", "--filter", ours())).isEmpty();
  }

  private static void assertProblem(
      ProblemType type, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call)
        .asInstanceOf(type(ProblemException.class))
        .satisfies(problem -> assertThat(problem.type()).as(problem.getMessage()).isEqualTo(type));
  }
}
