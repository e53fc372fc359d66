package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.harness.Broker;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.eclipse.californium.core.CoapResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Brokers and gateways that come and go: each case has its own. */
@Tag("slow")
class RoutingIT {

  /** No invocation that is to end is ended by it. */
  private static final long TIMEOUT_MILLIS = 600_000;

  @TempDir Path folder;
  private Vertx vertx;
  private Broker broker;

  @BeforeEach
  void create() {
    vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
    broker = new Broker();
  }

  @AfterEach
  void remove() {
    vertx.close().toCompletionStage().toCompletableFuture().join();
    broker.close();
  }

  private GatewayProcess gateway(Map<String, String> environment) {
    return new GatewayProcess(broker, folder, environment);
  }

  @Test
  void shouldIgnoreWhatIsNoNewerTable() {
    broker.start();
    try (GatewayProcess gateway = gateway(Map.of());
        PlayedManager manager = new PlayedManager(vertx, broker);
        TestHandler handler =
            new TestHandler(vertx, folder, (request, body) -> request.response().end("f"))) {
      // What is counted before the metrics are there is lost.
      eventually().ignoreExceptions().until(() -> gateway.get("/q/metrics").statusCode() == 200);
      manager.apply(5, 5, PlayedManager.route("f", TIMEOUT_MILLIS, handler.handler()));
      manager.publish(5, 4);
      manager.publish(4, 9);
      manager.publish("{".getBytes(StandardCharsets.UTF_8));
      manager.publish(new byte[0]);
      manager.publish("{\"revision\":{\"epoch\":6,\"number\":1}}".getBytes(StandardCharsets.UTF_8));
      manager.publish(new byte[4_200_000]);
      eventually()
          .untilAsserted(
              () ->
                  assertThat(gateway.get("/q/metrics").body())
                      .contains("tinyfaas_route_tables_total{outcome=\"stale\"} 2.0")
                      .contains("tinyfaas_route_tables_total{outcome=\"invalid\"} 4.0"));
      assertThat(AskingDevice.answer(gateway, "f")).isEqualTo("2.05 f");
      manager.apply(5, 6);
      eventually()
          .untilAsserted(
              () ->
                  assertThat(gateway.log())
                      .filteredOn(line -> line.contains("routes-refused"))
                      .hasSize(6));
    }
  }

  @Test
  void shouldServeWithoutABrokerAndFollowItOnceItComes() {
    try (GatewayProcess gateway = gateway(Map.of())) {
      assertThat(AskingDevice.get(gateway, "f").getCode().text).isEqualTo("5.03");
      assertThat(gateway.get("/q/health/live").statusCode()).isEqualTo(200);
      assertThat(gateway.get("/q/health/ready").statusCode()).isEqualTo(503);
      broker.start();
      try (PlayedManager manager = new PlayedManager(vertx, broker);
          TestHandler handler =
              new TestHandler(vertx, folder, (request, body) -> request.response().end("f"))) {
        manager.awaitStatus(status -> status.online() && status.applied().equals(Revision.NONE));
        assertThat(gateway.get("/q/health/ready").statusCode()).isEqualTo(503);
        manager.apply(1, 1, PlayedManager.route("f", TIMEOUT_MILLIS, handler.handler()));
        assertThat(AskingDevice.answer(gateway, "f")).isEqualTo("2.05 f");
        assertThat(gateway.get("/q/health/ready").statusCode()).isEqualTo(200);
      }
      assertThat(gateway.log()).filteredOn(line -> line.contains("broker-unreachable")).hasSize(1);
    }
  }

  @Test
  void shouldSayComeBackBeforeThereIsATable() throws Exception {
    broker.start();
    List<String> heard = new CopyOnWriteArrayList<>();
    try (GatewayProcess gateway = gateway(Map.of());
        PlayedManager manager = new PlayedManager(vertx, broker);
        TestHandler handler =
            new TestHandler(
                vertx,
                folder,
                (request, body) -> {
                  heard.add(body.toString());
                  request.response().end("f");
                });
        GrpcCalls grpc = new GrpcCalls(gateway.grpcPort());
        HttpClient http = HttpClient.newHttpClient()) {
      // What is counted before the metrics are there is lost.
      eventually().ignoreExceptions().until(() -> gateway.get("/q/metrics").statusCode() == 200);
      manager.awaitStatus(status -> status.online() && status.applied().equals(Revision.NONE));
      HealthGrpc.HealthBlockingStub health = HealthGrpc.newBlockingStub(grpc.channel());
      URI f = URI.create("http://127.0.0.1:" + gateway.httpPort() + "/f");
      HttpRequest get = HttpRequest.newBuilder(f).build();
      for (String path : List.of("f", ".well-known/core")) {
        CoapResponse later = AskingDevice.get(gateway, path);
        assertThat(later.getCode().text).as(path).isEqualTo("5.03");
        assertThat(later.getOptions().getMaxAge()).as(path).isEqualTo(1);
      }
      HttpResponse<String> later = http.send(get, HttpResponse.BodyHandlers.ofString());
      assertThat(later.statusCode()).isEqualTo(503);
      assertThat(later.headers().firstValue("Retry-After")).contains("1");
      assertThat(later.body()).contains("urn:tinyfaas:problem:no-route-table");
      assertThat(grpc.failure("f", "x").getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(health(health)).isEqualTo(ServingStatus.NOT_SERVING);
      HttpRequest async =
          HttpRequest.newBuilder(f)
              .header("X-tinyFaaS-Async", "yes")
              .POST(HttpRequest.BodyPublishers.ofString("later"))
              .build();
      assertThat(http.send(async, HttpResponse.BodyHandlers.ofString()).statusCode())
          .isEqualTo(202);
      assertThat(gateway.get("/q/metrics").body()).contains("outcome=\"no_route_table\"");

      manager.apply(1, 1, PlayedManager.route("f", TIMEOUT_MILLIS, handler.handler()));
      eventually().untilAsserted(() -> assertThat(heard).containsExactly("later"));
      eventually().until(() -> health(health) == ServingStatus.SERVING);
      manager.apply(1, 2);
      assertThat(AskingDevice.get(gateway, "f").getCode().text).isEqualTo("4.04");
      assertThat(AskingDevice.answer(gateway, ".well-known/core")).isEqualTo("2.05 ");
      assertThat(http.send(get, HttpResponse.BodyHandlers.ofString()).statusCode()).isEqualTo(404);
      assertThat(grpc.failure("f", "x").getCode()).isEqualTo(Status.Code.NOT_FOUND);
      assertThat(health(health)).isEqualTo(ServingStatus.SERVING);
    }
  }

  private static ServingStatus health(HealthGrpc.HealthBlockingStub health) {
    return health.check(HealthCheckRequest.getDefaultInstance()).getStatus();
  }

  @Test
  void shouldSayThatItIsGoneWhenKilledAndWhenStopped() {
    broker.start();
    try (PlayedManager manager = new PlayedManager(vertx, broker)) {
      try (GatewayProcess gateway = gateway(Map.of())) {
        manager.awaitStatus(status -> status.online());
        gateway.kill();
        manager.awaitStatus(status -> !status.online());
      }
      String first = manager.heard().getLast().instance();
      try (GatewayProcess gateway = gateway(Map.of())) {
        manager.awaitStatus(status -> status.online() && !status.instance().equals(first));
        gateway.terminate();
        manager.awaitStatus(status -> !status.online());
        assertThat(gateway.awaitExit()).isEqualTo(143);
        eventually()
            .untilAsserted(
                () ->
                    assertThat(gateway.log())
                        .anyMatch(line -> line.contains("event=stopped unfinished=0")));
      }
    }
  }

  @Test
  void shouldFinishWhatRunsBeforeItStops() throws IOException {
    broker.start();
    List<HttpServerResponse> held = new CopyOnWriteArrayList<>();
    try (GatewayProcess gateway = gateway(Map.of("TINYFAAS_STOP_TIMEOUT", "10m"));
        PlayedManager manager = new PlayedManager(vertx, broker);
        TestHandler handler =
            new TestHandler(vertx, folder, (request, body) -> held.add(request.response()));
        CoapPeer peer = new CoapPeer(gateway.coapPort())) {
      manager.apply(
          1,
          1,
          PlayedManager.route("f", TIMEOUT_MILLIS, handler.handler()),
          PlayedManager.route("g", 200, handler.handler()));
      peer.send(CoapPeer.request("NON", 1, 1, "f"));
      eventually().until(() -> held.size() == 1);
      gateway.terminate();
      eventually()
          .untilAsserted(() -> assertThat(AskingDevice.answer(gateway, "g")).startsWith("5.03"));
      assertThat(manager.heard().getLast().online()).isTrue();
      held.getFirst().end("done");
      Datagram done = peer.next();
      assertThat(done.head() + " " + done.text()).isEqualTo("NON 2.05 done");
      assertThat(gateway.awaitExit()).isEqualTo(143);
    }
  }

  @Test
  void shouldReadThePasswordFromAFile() throws IOException {
    broker.start();
    Path file = Files.writeString(folder.resolve("password"), Broker.GATEWAY_PASSWORD + "\n");
    Map<String, String> environment =
        Map.of("TINYFAAS_BROKER_PASSWORD", "", "TINYFAAS_BROKER_PASSWORD_FILE", file.toString());
    try (GatewayProcess gateway = gateway(environment);
        PlayedManager manager = new PlayedManager(vertx, broker)) {
      manager.apply(1, 1);
      assertThat(gateway.get("/q/health/ready").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void shouldSayThatThePasswordIsWrongAndGoOnTrying() {
    broker.start();
    try (GatewayProcess gateway = gateway(Map.of("TINYFAAS_BROKER_PASSWORD", "wrong"))) {
      eventually()
          .untilAsserted(
              () ->
                  assertThat(gateway.log())
                      .anyMatch(line -> line.matches(".*broker-unreachable.*NOT_AUTHORIZED.*")));
      assertThat(AskingDevice.get(gateway, "f").getCode().text).isEqualTo("5.03");
    }
  }
}
