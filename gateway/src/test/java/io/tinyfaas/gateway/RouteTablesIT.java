package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.harness.Broker;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tables, handlers and brokers that come and go while one gateway runs; each case has tables that
 * are newer than those of the cases before it.
 */
@Tag("slow")
class RouteTablesIT {

  /** No invocation that is to end is ended by it. */
  private static final long TIMEOUT_MILLIS = 600_000;

  private static final long EPOCH = 1;

  @TempDir private static Path folder;
  private static Vertx vertx;
  private static Broker broker;
  private static GatewayProcess gateway;
  private static long tables;

  @BeforeAll
  static void start() {
    vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
    broker = new Broker().start();
    gateway = new GatewayProcess(broker, folder, Map.of());
  }

  @AfterAll
  static void stop() {
    gateway.close();
    vertx.close().toCompletionStage().toCompletableFuture().join();
    broker.close();
  }

  @Test
  void shouldFinishWhatRunsOnAHandlerThatLeftTheTable() throws Exception {
    List<HttpServerResponse> held = new CopyOnWriteArrayList<>();
    try (PlayedManager manager = new PlayedManager(vertx, broker);
        TestHandler old =
            new TestHandler(vertx, folder, (request, body) -> held.add(request.response()));
        TestHandler replacement =
            new TestHandler(vertx, folder, (request, body) -> request.response().end("new"));
        CoapPeer peer = new CoapPeer(gateway.coapPort())) {
      manager.apply(EPOCH, ++tables, PlayedManager.route("f", TIMEOUT_MILLIS, old.handler()));
      peer.send(CoapPeer.request("CON", 1, 1, "f"));
      eventually().until(() -> held.size() == 1);

      manager.apply(
          EPOCH, ++tables, PlayedManager.route("f", TIMEOUT_MILLIS, replacement.handler()));
      assertThat(manager.heard().getLast().draining()).containsExactly(old.handler().id());
      assertThat(AskingDevice.answer(gateway, "f")).isEqualTo("2.05 new");

      held.getFirst().end("old");
      assertThat(answer(peer)).endsWith(" 2.05 old");
      manager.awaitStatus(status -> status.draining().isEmpty());
      assertThat(manager.heard().getLast().applied()).isEqualTo(new Revision(EPOCH, tables));
      eventually().untilAsserted(() -> assertThat(old.connections()).isZero());
      assertThat(replacement.connections()).isPositive();

      manager.apply(EPOCH, ++tables);
      assertThat(AskingDevice.get(gateway, "f").getCode().text).isEqualTo("4.04");
      eventually().untilAsserted(() -> assertThat(replacement.connections()).isZero());
      assertThat(gateway.get("/q/metrics").body()).doesNotContain("function=\"f\"");
    }
  }

  /** Which comes in the acknowledgement, or after it. */
  private static String answer(CoapPeer peer) throws IOException {
    Datagram next = peer.next();
    if (next.head().equals("ACK 0.00")) {
      next = peer.next();
    }
    return next.head() + " " + next.text();
  }

  @Test
  void shouldReachAHandlerAgainAfterItsRestart() {
    try (PlayedManager manager = new PlayedManager(vertx, broker)) {
      TestHandler handler =
          new TestHandler(vertx, folder, (request, body) -> request.response().end("one"));
      manager.apply(EPOCH, ++tables, PlayedManager.route("f", TIMEOUT_MILLIS, handler.handler()));
      assertThat(AskingDevice.answer(gateway, "f")).isEqualTo("2.05 one");
      handler.close();
      assertThat(AskingDevice.get(gateway, "f").getCode().text).isEqualTo("5.03");
      try (TestHandler again =
          new TestHandler(
              vertx, folder, handler.handler(), (request, body) -> request.response().end("two"))) {
        assertThat(AskingDevice.answer(gateway, "f")).isEqualTo("2.05 two");
        assertThat(again.runs()).isEqualTo(1);
      }
    }
  }

  @Test
  void shouldRouteOnWhileTheBrokerIsAwayAndReportAgainWhenItIsBack() {
    try (TestHandler handler =
        new TestHandler(vertx, folder, (request, body) -> request.response().end("f"))) {
      try (PlayedManager manager = new PlayedManager(vertx, broker)) {
        manager.apply(EPOCH, ++tables, PlayedManager.route("f", TIMEOUT_MILLIS, handler.handler()));
      }
      broker.kill();
      eventually().until(() -> gateway.get("/q/health/ready").statusCode() == 503);
      assertThat(AskingDevice.answer(gateway, "f")).isEqualTo("2.05 f");
      broker.start();
      try (PlayedManager manager = new PlayedManager(vertx, broker)) {
        manager.awaitStatus(
            status -> status.online() && status.applied().equals(new Revision(EPOCH, tables)));
        eventually().until(() -> gateway.get("/q/health/ready").statusCode() == 200);
        manager.apply(EPOCH, ++tables);
        assertThat(AskingDevice.get(gateway, "f").getCode().text).isEqualTo("4.04");
      }
      assertThat(gateway.log()).noneMatch(line -> line.startsWith("\tat "));
    }
  }

  /** What they take is taken from invocations, of which the largest has to pass. */
  @Test
  void shouldStayWithATableWhereTheNextHasMoreFunctionsThanThereIsMemoryFor() {
    try (PlayedManager manager = new PlayedManager(vertx, broker);
        TestHandler handler =
            new TestHandler(vertx, folder, (request, body) -> request.response().end("f"))) {
      manager.apply(EPOCH, ++tables, PlayedManager.route("f", TIMEOUT_MILLIS, handler.handler()));
      Revision before = new Revision(EPOCH, tables);

      manager.publish(EPOCH, ++tables, functions(3_000));
      eventually()
          .until(
              () ->
                  gateway.log().stream()
                      .anyMatch(
                          line ->
                              line.contains("event=routes-refused")
                                  && line.contains("set TINYFAAS_GATEWAY_HEAP to")));
      assertThat(AskingDevice.answer(gateway, "f")).isEqualTo("2.05 f");
      assertThat(manager.heard().getLast().applied()).isEqualTo(before);

      manager.apply(EPOCH, ++tables, functions(2_000));
      assertThat(AskingDevice.get(gateway, "f1999").getCode().text).isEqualTo("5.03");
      manager.apply(EPOCH, ++tables);
    }
  }

  /** Without handlers. */
  private static Route[] functions(int count) {
    return IntStream.range(0, count)
        .mapToObj(number -> PlayedManager.route("f" + number, TIMEOUT_MILLIS))
        .toArray(Route[]::new);
  }

  @Test
  void shouldSayWhatToDoWhenThePortIsTaken() {
    Map<String, String> taken = Map.of("COAP_PORT", Integer.toString(gateway.coapPort()));
    try (GatewayProcess second = new GatewayProcess(broker, folder, taken)) {
      assertThat(second.awaitExit()).isEqualTo(1);
      assertThat(second.log())
          .anyMatch(
              line -> line.startsWith("cannot listen for ") && line.endsWith("another COAP_PORT"))
          .noneMatch(line -> line.startsWith("Caused by: java.io.UncheckedIOException"));
    }
  }
}
