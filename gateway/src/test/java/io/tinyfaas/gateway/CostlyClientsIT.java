package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.flood.Flood;
import io.tinyfaas.harness.flood.RunningFlood;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A few clients that send little, of which the gateway has to hold much. Neither a device nor other
 * clients notice any of it, and when they have gone, all is as before. Each case has a gateway of
 * its own, with the limits as they come.
 */
@Tag("slow")
class CostlyClientsIT {

  private static final long FUNCTION_TIMEOUT_MILLIS = 600_000;

  /** Of the device during each load. */
  private static final int CALLS = 5;

  private static final int TINY_HEADERS = 2_700;
  private static final int LARGE = 100_000;

  private final HeldFunction slow = new HeldFunction();
  private ServedGateway system;
  private List<TestHandler> handlers;
  private GatewayProcess gateway;

  @BeforeEach
  void start(@TempDir Path folder) {
    system = new ServedGateway(folder, Map.of(), (request, body) -> request.response().end("done"));
    gateway = system.process();
    handlers =
        List.of(
            new TestHandler(system.vertx(), folder, slow::answer),
            new TestHandler(system.vertx(), folder, slow::answer),
            new TestHandler(system.vertx(), folder, CostlyClientsIT::answerTinyHeaders),
            new TestHandler(system.vertx(), folder, CostlyClientsIT::answerMuch));
    system.serve(
        PlayedManager.route("quick", FUNCTION_TIMEOUT_MILLIS, system.handler()),
        PlayedManager.route("slow1", FUNCTION_TIMEOUT_MILLIS, handlers.get(0).handler()),
        PlayedManager.route("slow2", FUNCTION_TIMEOUT_MILLIS, handlers.get(1).handler()),
        PlayedManager.route("headers", FUNCTION_TIMEOUT_MILLIS, handlers.get(2).handler()),
        PlayedManager.route("large", FUNCTION_TIMEOUT_MILLIS, handlers.get(3).handler()));
    assertThat(AskingDevice.answer(gateway, "quick")).isEqualTo("2.05 done");
  }

  private static void answerTinyHeaders(HttpServerRequest request, Buffer body) {
    List<String> none = Collections.nCopies(TINY_HEADERS, "");
    request.response().putHeader("a", none).end();
  }

  private static void answerMuch(HttpServerRequest request, Buffer body) {
    request.response().end(Buffer.buffer(new byte[LARGE]));
  }

  @AfterEach
  void stop() {
    slow.release();
    handlers.forEach(TestHandler::close);
    system.close();
  }

  /**
   * That a device and a client with a body are answered while the loads last, and that nothing is
   * left of them.
   */
  private void assertUnnoticed(RunningFlood... floods) throws IOException {
    try {
      for (RunningFlood flood : floods) {
        flood.awaitSent();
      }
      for (int call = 0; call < CALLS; call++) {
        assertThat(AskingDevice.answer(gateway, "quick"))
            .as("beside %s", List.of(floods))
            .isEqualTo("2.05 done");
        assertThat(HttpUpload.post(gateway.httpPort(), "/quick", new byte[1_024]).status())
            .as("beside %s", List.of(floods))
            .isEqualTo(200);
      }
    } finally {
      for (RunningFlood flood : floods) {
        flood.close();
      }
    }
    slow.release();
    awaitNothingInFlight();
    assertThat(AskingDevice.answer(gateway, "quick")).isEqualTo("2.05 done");
    assertThat(gateway.log()).noneMatch(line -> line.contains("OutOfMemoryError"));
  }

  private void awaitNothingInFlight() {
    eventually()
        .untilAsserted(
            () ->
                assertThat(gateway.get("/q/metrics").body())
                    .contains("tinyfaas_in_flight 0.0", "tinyfaas_http_connections 0.0"));
  }

  @Test
  void shouldHoldNoHttpHeadsOfTinyFieldsThatNeverEnd() throws IOException {
    assertUnnoticed(
        Flood.http()
            .addresses("127.0.9.1", 1)
            .connections(90)
            .path("/quick")
            .field("a:", 3_900)
            .unfinished()
            .start(gateway.httpPort()));
  }

  @Test
  void shouldHoldNoHttpHeadsOfTinyFieldsWhoseBodiesNeverCome() throws IOException {
    assertUnnoticed(
        Flood.http()
            .addresses("127.0.9.1", 1)
            .connections(80)
            .path("/quick")
            .field("a:", 3_900)
            .contentLength(9)
            .start(gateway.httpPort()),
        Flood.http()
            .addresses("127.0.9.1", 1)
            .connections(900)
            .path("/quick")
            .field("a:", 84)
            .contentLength(9)
            .start(gateway.httpPort()));
  }

  @Test
  void shouldHaveRoomForOthersBesideBodiesThatNeverCome() throws IOException {
    assertUnnoticed(
        Flood.http()
            .addresses("127.0.9.1", 1)
            .connections(1_000)
            .path("/quick")
            .contentLength(1_000_000)
            .start(gateway.httpPort()));
  }

  @Test
  void shouldHaveRoomForOthersBesideBodiesThatStopHalfway() throws IOException {
    assertUnnoticed(
        Flood.http()
            .addresses("127.0.9.1", 1)
            .connections(87)
            .path("/quick")
            .contentLength(210_000)
            .body(105_000)
            .start(gateway.httpPort()));
  }

  @Test
  void shouldHoldNoCoapRequestsOfEmptyOptionsForASlowFunction() throws IOException {
    assertUnnoticed(
        Flood.coap()
            .addresses("127.0.9.1", 1)
            .requests(200)
            .path("slow1")
            .queries(1_990)
            .start(gateway.coapPort()));
  }

  @Test
  void shouldRememberNoCoapRequestsOfEmptyOptions() throws IOException {
    assertUnnoticed(
        Flood.coap()
            .addresses("127.0.9.1", 1)
            .requests(800)
            .nonConfirmable()
            .path("quick")
            .queries(1_990)
            .start(gateway.coapPort()));
  }

  @Test
  void shouldHaveRoomForOthersBesideAnswersThatNobodyFetches() throws IOException {
    RunningFlood flood =
        Flood.coap()
            .addresses("127.0.9.1", 20)
            .connections(20)
            .requests(60)
            .path("large")
            .start(gateway.coapPort());
    flood.awaitSent();
    awaitNothingInFlight();
    assertUnnoticed(flood);
  }

  @Test
  void shouldHoldNoUploadsThatOnlyBegin() throws IOException {
    assertUnnoticed(
        Flood.coap()
            .addresses("127.0.9.1", 2)
            .connections(10)
            .requests(1_000)
            .again(0)
            .path("quick")
            .block(0)
            .start(gateway.coapPort()),
        Flood.coap()
            .addresses("127.0.9.3", 20)
            .connections(20)
            .requests(1_000)
            .again(0)
            .path("quick")
            .block(0)
            .requestTags()
            .start(gateway.coapPort()));
  }

  @Test
  void shouldHoldNoGrpcCallsOfTinyMetadataForASlowFunction() throws IOException {
    assertUnnoticed(
        Flood.grpc()
            .addresses("127.0.9.1", 1)
            .connections(10)
            .calls(100)
            .metadata(220)
            .function("slow1")
            .start(gateway.grpcPort()));
  }

  @Test
  void shouldHoldNoGrpcCallsThatAreHalfOpen() throws IOException {
    assertUnnoticed(
        Flood.grpc()
            .addresses("127.0.9.1", 1)
            .connections(30)
            .calls(100)
            .halfOpen()
            .start(gateway.grpcPort()),
        Flood.grpc()
            .addresses("127.0.9.1", 1)
            .connections(10)
            .calls(100)
            .metadata(80)
            .halfOpen()
            .start(gateway.grpcPort()));
  }

  @Test
  void shouldHaveRoomForOthersBesideThousandsOfSlowCalls() throws IOException {
    assertUnnoticed(
        Flood.coap()
            .connections(2)
            .addresses("127.0.9.1", 2)
            .requests(1_090)
            .path("slow1")
            .payload(1_024)
            .start(gateway.coapPort()),
        Flood.coap()
            .connections(2)
            .addresses("127.0.9.3", 2)
            .requests(1_090)
            .path("slow2")
            .payload(1_024)
            .start(gateway.coapPort()));
  }

  /** That has been used for a while, so that there is something of each kind. */
  @Test
  void shouldHaveRoomForOthersBesideASlowFunctionThatThreeAddressesAsk() throws IOException {
    try (RunningFlood use =
        Flood.coap()
            .connections(4)
            .addresses("127.0.10.1", 4)
            .requests(20)
            .again(0)
            .path("quick")
            .payload(1_024)
            .start(gateway.coapPort())) {
      eventually()
          .untilAsserted(
              () -> assertThat(use.outcome("2.04")).as(use.toString()).isGreaterThan(3_000));
    }
    assertUnnoticed(
        Flood.coap()
            .connections(3)
            .addresses("127.0.9.1", 3)
            .requests(1_500)
            .path("slow1")
            .payload(1_024)
            .start(gateway.coapPort()));
  }

  @Test
  void shouldHoldNoAnswersOfTinyHeaders() throws IOException {
    assertUnnoticed(
        Flood.http()
            .addresses("127.0.9.1", 1)
            .connections(70)
            .path("/headers")
            .again(0)
            .start(gateway.httpPort()),
        Flood.coap()
            .addresses("127.0.9.1", 1)
            .connections(10)
            .requests(7)
            .path("headers")
            .start(gateway.coapPort()),
        Flood.grpc()
            .addresses("127.0.9.1", 1)
            .calls(70)
            .function("headers")
            .start(gateway.grpcPort()));
  }
}
