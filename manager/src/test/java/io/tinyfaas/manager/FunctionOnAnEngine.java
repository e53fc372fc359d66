package io.tinyfaas.manager;

import static io.tinyfaas.harness.Docker.docker;
import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.manager.RealParts.ours;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.deploy.FunctionDeployer;
import io.tinyfaas.manager.deploy.FunctionDeployer.Deployment;
import io.tinyfaas.manager.deploy.FunctionStates;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.PartialSpec;
import io.tinyfaas.manager.spec.Specs;
import io.tinyfaas.manager.store.FunctionStore;
import io.vertx.core.Vertx;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * One function, deployed on a real engine with a gateway that the test plays. At the end of each
 * test it is deleted, and nothing of it may be left.
 */
abstract class FunctionOnAnEngine {

  static final FunctionName FUNCTION = new FunctionName("Thing");

  @Inject FunctionDeployer deployer;
  @Inject FunctionStates states;
  @Inject FunctionStore store;
  @Inject Vertx vertx;

  @ConfigProperty(name = "tinyfaas.broker-port")
  int brokerPort;

  @ConfigProperty(name = "tinyfaas.sockets")
  Path sockets;

  PlayedGateway gateway;

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

  Deployment deploy(FunctionSpec spec, FunctionArchive archive) {
    return deploy(Specs.fields(spec), archive);
  }

  Deployment deploy(PartialSpec fields, FunctionArchive archive) {
    try (archive) {
      return deployer.deploy(FUNCTION, fields, archive);
    }
  }

  static FunctionSpec spec() {
    return spec("nodejs", 1, 0.5);
  }

  static FunctionSpec spec(String runtime, int handlers, double cpus) {
    return Specs.of(
        """
        {"runtime": "%s", "handlers": %d, "cpus": %s, "timeout": "2s"}\
        """
            .formatted(runtime, handlers, cpus));
  }

  List<Handler> handlers() {
    return gateway.route("Thing").map(Route::handlers).orElse(List.of());
  }

  Handler onlyHandler() {
    assertThat(handlers()).hasSize(1);
    return handlers().getFirst();
  }

  String invoke(Handler handler) {
    return invoke(handler, "");
  }

  String invoke(Handler handler, String body) {
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

  static Instant killAndAwaitTheNextStart(String container) {
    Instant before = startOf(container);
    docker("kill", "--signal", "KILL", container);
    return eventually().until(() -> startOf(container), start -> start.isAfter(before));
  }

  static Instant startOf(String container) {
    return Instant.parse(docker("inspect", "-f", "{{.State.StartedAt}}", container).getFirst());
  }

  static List<String> containers() {
    return docker("ps", "-a", "-q", "--filter", ours(), "--filter", "label=tinyfaas.role=handler");
  }

  static List<String> runningBuilds() {
    return docker("ps", "-q", "--filter", ours(), "--filter", "label=tinyfaas.role=build");
  }

  static List<String> containerNames() {
    return docker("ps", "-a", "--format", "{{.Names}}", "--filter", ours());
  }

  static List<String> networks() {
    return docker("network", "ls", "-q", "--filter", ours());
  }

  static List<String> images() {
    return docker("image", "ls", "--format", "{{.ID}}", "--filter", ours());
  }

  void assertNothingIsLeft() {
    eventually()
        .untilAsserted(
            () -> {
              assertThat(containerNames()).isEmpty();
              assertThat(images()).isEmpty();
              assertThat(sockets).isDirectoryNotContaining(Files::isDirectory);
              assertThat(networks()).isEmpty();
            });
  }

  static void assertProblem(
      ProblemType type, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call)
        .asInstanceOf(type(ProblemException.class))
        .satisfies(problem -> assertThat(problem.type()).as(problem.getMessage()).isEqualTo(type));
  }
}
