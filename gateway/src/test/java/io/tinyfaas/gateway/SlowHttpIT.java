package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.flood.Flood;
import io.tinyfaas.harness.flood.RawGrpc;
import io.tinyfaas.harness.flood.RunningFlood;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.NetSocket;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

/** Clients by HTTP and gRPC, and functions, that take their time. */
@Tag("slow")
@TestInstance(Lifecycle.PER_CLASS)
class SlowHttpIT {

  private static final String ECHO = "GET /f/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

  private static final int DROP_MILLIS = 50;

  private final List<String> heard = new CopyOnWriteArrayList<>();
  private Path folder;
  private ServedGateway system;
  private GatewayProcess gateway;
  private RawHandler drips;

  @BeforeAll
  void start(@TempDir Path temporary) {
    folder = temporary;
    system =
        new ServedGateway(
            folder,
            Map.of(
                // Those who are not slow have to be within them, too.
                "TINYFAAS_HTTP_HEADER_TIMEOUT", "5s",
                "TINYFAAS_HTTP_IDLE_TIMEOUT", "2s",
                "TINYFAAS_HTTP_BODY_TIMEOUT", "1s",
                "TINYFAAS_HTTP_SEND_TIMEOUT", "5s",
                "TINYFAAS_GRPC_RECEIVE_TIMEOUT", "1s"),
            this::function);
    gateway = system.process();
    drips = new RawHandler(system.vertx(), folder, this::drip);
    system.serve(
        PlayedManager.route("f", 120_000, system.handler()),
        PlayedManager.route("drips", 1_000, drips.handler()));
  }

  @BeforeEach
  void forget() {
    heard.clear();
  }

  @AfterAll
  void remove() {
    drips.close();
    system.close();
  }

  private void function(HttpServerRequest request, Buffer body) {
    switch (request.getHeader("X-tinyFaaS-Path")) {
      case "/hear" -> {
        heard.add(body.toString());
        request.response().end();
      }
      case "/large" -> request.response().end(Buffer.buffer(new byte[1 << 20]));
      default -> request.response().end("served");
    }
  }

  private void drip(NetSocket socket) {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    long drops = system.vertx().setPeriodic(DROP_MILLIS, drop -> socket.write("x"));
    socket.closeHandler(closed -> system.vertx().cancelTimer(drops));
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
  void shouldNotWaitForSlowHeadersAndBodies() throws IOException {
    try (RawHttp silent = connect();
        RawHttp header = connect();
        RawHttp body = connect();
        RawHttp idle = connect()) {
      header.send("GET /f/echo HTTP/1.1\r\nHost:");
      body.send("POST /f/hear HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx");
      idle.send("GET /f/echo HTTP/1.1\r\nHost: x\r\n\r\n");

      assertThat(silent.readAll()).isEmpty();
      assertThat(header.readAll()).isEmpty();
      assertThat(body.readAll()).startsWith("HTTP/1.1 408").contains("body-too-slow");
      assertThat(idle.readAll()).startsWith("HTTP/1.1 200 OK").endsWith("served");
    }
    assertThat(heard).isEmpty();
  }

  /** A header's byte every now and then does not keep a connection. */
  @Test
  void shouldEndAHeaderThatTrickles() throws IOException {
    try (RawHttp raw = connect()) {
      raw.send("GET /f/echo HTTP/1.1\r\nHost: x\r\n");
      awaitClosed(raw);
    }
  }

  @Test
  void shouldEndABodyThatTrickles() {
    try (RunningFlood flood =
        Flood.http()
            .path("/f/hear")
            .contentLength(100_000)
            .body(100_000)
            .slowly(DROP_MILLIS)
            .start(gateway.httpPort())) {
      within(Duration.ofSeconds(30)).until(() -> flood.outcome("408") == 1);
    }
    assertThat(heard).isEmpty();
  }

  @Test
  void shouldEndAMessageThatTrickles() throws IOException {
    try (ExecutorService thread = Executors.newVirtualThreadPerTaskExecutor();
        RawGrpc connection = new RawGrpc(gateway.grpcPort(), 65_535)) {
      connection.open(RawGrpc.REQUEST);
      connection.part(new byte[] {0, 0, 0, 100, 0});
      Future<String> ended = thread.submit(() -> connection.next(RawGrpc.RESET));
      within(Duration.ofSeconds(30))
          .pollInterval(Duration.ofMillis(DROP_MILLIS))
          .until(
              () -> {
                connection.part(new byte[1]);
                return ended.isDone();
              });
    }
  }

  @Test
  void shouldEndAnAnswerThatTrickles() throws IOException {
    try (RawHttp raw = connect()) {
      raw.send("GET /drips HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      assertThat(raw.readAll()).startsWith("HTTP/1.1 504");
    }
  }

  /** Without reading. */
  private static void awaitClosed(RawHttp raw) {
    within(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(200))
        .until(
            () -> {
              try {
                raw.send("X");
                return false;
              } catch (IOException closed) {
                return true;
              }
            });
  }

  @Test
  void shouldNotHoldAnswersThatNobodyTakes() throws IOException {
    String request = "GET /f/large HTTP/1.1\r\nHost: x\r\n\r\n";
    List<RawHttp> slow = new ArrayList<>();
    try {
      for (int i = 0; i < 10; i++) {
        slow.add(connect().send(request.repeat(10)));
      }
      within(Duration.ofMinutes(1))
          .ignoreExceptionsInstanceOf(IOException.class)
          .untilAsserted(() -> assertThat(ask()).as("while nobody reads").endsWith("served"));
      within(Duration.ofMinutes(1))
          .untilAsserted(
              () ->
                  assertThat(gateway.get("/q/metrics").body())
                      .contains("tinyfaas_http_connections 0.0", "tinyfaas_in_flight 0.0"));
    } finally {
      for (RawHttp raw : slow) {
        raw.close();
      }
    }
    assertThat(ask()).endsWith("served");
  }

  /** Accepted is accepted: the handler is away for a moment. */
  @Test
  void shouldRunWhatNobodyWaitsForOnceThereIsAHandler() throws IOException {
    system.stopHandler();
    try (RawHttp raw = connect()) {
      raw.send(
          "POST /f/hear HTTP/1.1\r\nHost: x\r\nX-tinyFaaS-Async: 1\r\nConnection: close\r\n"
              + "Content-Length: 5\r\n\r\nlater");
      assertThat(raw.readAll()).startsWith("HTTP/1.1 202 Accepted");
    }
    assertThat(ask()).startsWith("HTTP/1.1 503").contains("no-handler", "retry-after: 2");
    system.startHandler();

    within(Duration.ofSeconds(30)).until(() -> heard.equals(List.of("later")));
  }

  @Test
  void shouldSayWhatToDoWhenAPortIsTaken() {
    assertThat(gateway.loadedClasses("io.grpc.internal.")).as("where gRPC is on").isNotEmpty();
    try (GatewayProcess second =
        new GatewayProcess(
            system.broker(), folder, Map.of("HTTP_PORT", Integer.toString(gateway.httpPort())))) {
      assertThat(second.awaitExit()).isEqualTo(1);
      assertThat(second.log())
          .anyMatch(
              line -> line.startsWith("cannot listen for ") && line.endsWith("another HTTP_PORT"))
          .noneMatch(line -> line.startsWith("Caused by: java.io.UncheckedIOException"));
    }
    try (GatewayProcess second =
        new GatewayProcess(
            system.broker(), folder, Map.of("GRPC_PORT", Integer.toString(gateway.grpcPort())))) {
      assertThat(second.awaitExit()).isEqualTo(1);
      assertThat(second.log())
          .anyMatch(
              line -> line.startsWith("cannot listen for ") && line.endsWith("another GRPC_PORT"))
          .noneMatch(line -> line.startsWith("Caused by: java.io.UncheckedIOException"));
    }
  }
}
