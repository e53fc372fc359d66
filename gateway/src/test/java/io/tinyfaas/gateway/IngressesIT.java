package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ingresses that are stopped, and some that are off. */
@Timeout(60)
class IngressesIT {

  private static final String ECHO = "GET /f/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

  @TempDir Path folder;
  private final List<HttpServerRequest> held = new CopyOnWriteArrayList<>();
  private Vertx vertx;
  private TestBroker broker;
  private PlayedManager manager;
  private TestHandler handler;
  private GatewayProcess gateway;

  @BeforeEach
  void create() {
    vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
    broker = new TestBroker().start();
    handler = new TestHandler(vertx, folder, this::function);
    manager = new PlayedManager(vertx, broker);
  }

  private void start(Map<String, String> environment) {
    gateway = new GatewayProcess(broker, folder, environment);
    manager.apply(1, 1, PlayedManager.route("f", 20_000, handler.handler()));
  }

  @AfterEach
  void remove() {
    gateway.close();
    manager.close();
    handler.close();
    broker.close();
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }

  private void function(HttpServerRequest request, Buffer body) {
    if (request.getHeader("X-tinyFaaS-Path").equals("/hold")) {
      held.add(request);
    } else {
      request.response().end("served");
    }
  }

  private RawHttp connect() throws IOException {
    return new RawHttp(gateway.httpPort());
  }

  private String ask() throws IOException {
    try (RawHttp raw = connect()) {
      return raw.send(ECHO).readAll();
    }
  }

  @Test
  void shouldFinishWhatRunsAndRefuseWhatComesWhenItStops() throws IOException {
    start(Map.of());
    try (RawHttp running = connect();
        RawHttp waiting = connect()) {
      running.send("GET /f/hold HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      await().until(() -> held.size() == 1);
      try (RawHttp async = connect()) {
        async.send(
            "GET /f/hold HTTP/1.1\r\nHost: x\r\nX-tinyFaaS-Async: 1\r\nConnection: close\r\n\r\n");
        assertThat(async.readAll()).startsWith("HTTP/1.1 202 Accepted");
      }
      await().until(() -> held.size() == 2);
      gateway.terminate();
      await()
          .untilAsserted(() -> assertThat(ask()).startsWith("HTTP/1.1 503").contains("stopping"));
      waiting.send(ECHO);
      assertThat(waiting.readAll()).startsWith("HTTP/1.1 503").contains("connection: close");
      held.getFirst().response().end("done");
      assertThat(running.readAll()).endsWith("done");
      held.getLast().response().end("done");
      assertThat(gateway.awaitExit()).isEqualTo(143);
      await()
          .untilAsserted(
              () ->
                  assertThat(gateway.log())
                      .anyMatch(line -> line.contains("event=stopped unfinished=0")));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "TINYFAAS_MAX_IN_FLIGHT, 0",
    "TINYFAAS_HTTP_IDLE_TIMEOUT, -5s",
    "TINYFAAS_GRPC_MAX_CONNECTIONS, -1"
  })
  void shouldRefuseASettingThatCannotBeMeantBeforeItListens(String variable, String value) {
    gateway = new GatewayProcess(broker, folder, Map.of(variable, value));

    assertThat(gateway.awaitExit()).isEqualTo(1);
    await()
        .untilAsserted(
            () -> assertThat(gateway.log()).anyMatch(l -> l.contains(variable + " is " + value)));
    assertThat(gateway.log()).noneMatch(l -> l.contains("-started") || l.startsWith("\tat "));
  }

  @Test
  void shouldSwitchProtocolsOff() {
    start(Map.of("HTTP_PORT", "-1", "GRPC_PORT", "-1"));

    assertThat(gateway.log()).anyMatch(line -> line.contains("http=off grpc=off"));
    assertThat(gateway.get("/q/health/ready").body()).contains("\"http\": false");
    assertThat(gateway.get("/q/health/ready").statusCode()).isEqualTo(200);
    assertThat(gateway.loadedClasses("io.grpc.internal.")).isEmpty();
    assertThat(gateway.loadedClasses("com.google.protobuf.")).isEmpty();
  }
}
