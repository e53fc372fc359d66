package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.flood.Flood;
import io.tinyfaas.harness.flood.RunningFlood;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Connections on which there is as much to do as the loop has time for, in few bytes. It does some
 * for each in its turn, so that a device is answered many times while it comes to the end of one
 * that has a hundred thousand pieces.
 */
@Tag("slow")
@TestInstance(Lifecycle.PER_CLASS)
class BusyConnectionsIT {

  private static final int CALLS = 20;

  /** Of the others, all together, during the calls. It is less than 20; without turns a hundred. */
  private static final int DONE_MEANWHILE = 60;

  private static final int CHUNKS = 200_000;
  private static final int HUNG_UP = 30_000;

  private ServedGateway system;
  private RawHandler handler;

  @BeforeAll
  void start(@TempDir Path folder) {
    system = new ServedGateway(folder, Map.of(), (request, body) -> request.response().end("done"));
    Buffer chunks = Buffer.buffer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < CHUNKS; i++) {
      chunks.appendString("1\r\nx\r\n");
    }
    chunks.appendString("0\r\n\r\n");
    handler = new RawHandler(system.vertx(), folder, socket -> socket.write(chunks));
    system.serve(
        PlayedManager.route("quick", 600_000, system.handler()),
        PlayedManager.route("f", 600_000, system.handler()), // as gRPC's floods ask it
        PlayedManager.route("chunks", 600_000, handler.handler()));
  }

  @AfterAll
  void stop() {
    handler.close();
    system.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http connections 20 path /quick chunks 200000 1",
        "http connections 20 path /nobody chunks 200000 1",
        "http connections 8 path /chunks",
      })
  void shouldTakeTurns(String line) throws IOException {
    try (RunningFlood flood = flood(line)) {
      eventually().until(() -> done(flood) > 0);
      long before = done(flood);

      assertAnswered();

      assertThat(done(flood) - before).as(flood.toString()).isLessThan(DONE_MEANWHILE);
    }
  }

  /** Who comes again at once, and is soon not let in any more: how many end so says nothing. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "grpc connections 20 pings 100000",
        "grpc connections 20 continuations 100000",
        "grpc connections 50 calls 400 reset",
      })
  void shouldSendAway(String line) throws IOException {
    try (RunningFlood flood = flood(line)) {
      eventually().until(() -> flood.outcome("closed") > 0);

      assertAnswered();

      assertThat(flood.outcomes()).doesNotContainKeys("answered", "refused");
    }
    assertThat(system.process().log()).noneMatch(entry -> entry.startsWith("\tat "));
  }

  /** Whether they get their answers, or are too late with them, is the machine's to say. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "grpc connections 20 emptyFrames 50000",
        "grpc connections 20 windowUpdates 200000",
        "grpc connections 20 settings 100000",
        "grpc connections 20 calls 100 path /no/body",
        "http connections 20 pipelined 1000 path /nobody",
      })
  void shouldAnswerADeviceBeside(String line) throws IOException {
    try (RunningFlood flood = flood(line)) {
      eventually().until(() -> !flood.outcomes().isEmpty());

      assertAnswered();
    }
    assertThat(system.process().log()).noneMatch(entry -> entry.startsWith("\tat "));
  }

  /** What is there of each for a moment would be more than there is of the heap. */
  @ParameterizedTest
  @ValueSource(strings = {"http", "grpc", "health"})
  void shouldAcceptNoMoreConnectionsThanItHasTimeFor(String server) throws IOException {
    GatewayProcess gateway = system.process();
    int port =
        switch (server) {
          case "http" -> gateway.httpPort();
          case "grpc" -> gateway.grpcPort();
          default -> gateway.healthPort();
        };
    try (RunningFlood flood =
        Flood.http().connections(20).path("/quick").hangUp().again(0).start(port)) {
      within(Duration.ofMinutes(1)).until(() -> flood.outcome("hung up") > HUNG_UP);

      assertAnswered();
    }
    assertThat(gateway.log()).noneMatch(entry -> entry.contains("OutOfMemoryError"));
  }

  private RunningFlood flood(String line) {
    GatewayProcess gateway = system.process();
    int port = line.startsWith("http") ? gateway.httpPort() : gateway.grpcPort();
    return Flood.of(line + " again 0").start(port);
  }

  private void assertAnswered() throws IOException {
    try (CoapPeer device = new CoapPeer("127.0.0.9", system.process().coapPort())) {
      for (int call = 0; call < CALLS; call++) {
        assertThat(device.answer(CoapPeer.request("CON", 1, call, "quick")).head())
            .isEqualTo("ACK 2.05");
      }
    }
  }

  private static long done(RunningFlood flood) {
    return flood.outcomes().values().stream().mapToLong(Long::longValue).sum();
  }
}
