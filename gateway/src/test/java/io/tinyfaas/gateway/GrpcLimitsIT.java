package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import io.tinyfaas.harness.flood.RawGrpc;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What gRPC calls may take of the packaged gateway: time, invocations, connections, memory. */
@Tag("slow")
@TestInstance(Lifecycle.PER_CLASS)
class GrpcLimitsIT {

  private static final int WINDOW = 65_535;
  private static final int MAX_CONNECTIONS = 32;

  /** With what another test has had, and has closed, they are not too many. */
  private static final int CONNECTIONS = 11;

  private final List<HttpServerRequest> held = new CopyOnWriteArrayList<>();
  private ServedGateway system;
  private GatewayProcess gateway;
  private GrpcCalls calls;

  @BeforeAll
  void start(@TempDir Path folder) {
    system =
        new ServedGateway(
            folder,
            Map.of(
                "TINYFAAS_MAX_BODY",
                "256K",
                "TINYFAAS_MAX_IN_FLIGHT_PER_FUNCTION",
                "8",
                "TINYFAAS_GRPC_MAX_CONNECTIONS",
                Integer.toString(MAX_CONNECTIONS),
                "TINYFAAS_GRPC_HANDSHAKE_TIMEOUT",
                "5s",
                "TINYFAAS_GRPC_RECEIVE_TIMEOUT",
                "10m",
                "TINYFAAS_GRPC_SEND_TIMEOUT",
                "5s"),
            this::function);
    gateway = system.process();
    system.serve(PlayedManager.route("f", 600_000, system.handler()));
    calls = new GrpcCalls(gateway.grpcPort());
  }

  /** What a test has left running would be too much with what the next one runs. */
  @BeforeEach
  void forget() {
    awaitIdle();
    held.clear();
  }

  private void awaitIdle() {
    eventually()
        .untilAsserted(
            () -> assertThat(gateway.get("/q/metrics").body()).contains("tinyfaas_in_flight 0.0"));
  }

  @AfterAll
  void stop() {
    calls.close();
    system.close();
  }

  private void function(HttpServerRequest request, Buffer body) {
    switch (body.toString()) {
      case "hold" -> held.add(request);
      case "never" -> {}
      default -> request.response().end(body);
    }
  }

  @Test
  void shouldEndAnInvocationWithItsCall() {
    Status late =
        catchThrowableOfType(
                StatusRuntimeException.class,
                () ->
                    GrpcCalls.ask(
                        calls.channel(),
                        CallOptions.DEFAULT.withDeadlineAfter(1, TimeUnit.SECONDS),
                        GrpcCalls.data("f", "never")))
            .getStatus();

    assertThat(late.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    awaitIdle(); // long before the function's time is over
  }

  @Test
  void shouldRefuseWhatIsTooMuchAtOnce() {
    List<CompletableFuture<String>> running = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      running.add(
          CompletableFuture.supplyAsync(() -> calls.ask("f", "hold"), Thread::startVirtualThread));
    }
    eventually().until(() -> held.size() == 8);

    assertThat(calls.failure("f", "x").getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    held.forEach(request -> request.response().end("done"));
    assertThat(running).allMatch(answer -> answer.join().equals("done"));
  }

  @Test
  void shouldCloseAConnectionOnWhichNothingComes() throws IOException {
    try (RawHttp silent = new RawHttp(gateway.grpcPort());
        RawHttp slow = new RawHttp(gateway.grpcPort())) {
      slow.send("PRI * HTTP/2.0\r\n");
      silent.readAll();
      slow.readAll();
    }
    assertThat(calls.ask("f", "x")).isEqualTo("x");
  }

  @Test
  void shouldBoundConnections() throws IOException {
    List<RawHttp> connections = new ArrayList<>();
    try {
      for (int i = 0; i < 50; i++) {
        connections.add(new RawHttp(gateway.grpcPort()));
      }
      assertThat(connections.getLast().readAll()).isEmpty();
      assertThat(calls.ask("f", "x")).as("on a connection that is open").isEqualTo("x");
    } finally {
      for (RawHttp connection : connections) {
        connection.close();
      }
    }
    eventually().ignoreExceptionsInstanceOf(IOException.class).until(this::hasRoom);
  }

  private boolean hasRoom() throws IOException {
    List<RawGrpc> connections = new ArrayList<>();
    try {
      for (int i = 0; i < CONNECTIONS; i++) {
        connections.add(new RawGrpc(gateway.grpcPort(), WINDOW));
        connections.getLast().next(RawGrpc.SETTINGS);
      }
      return true;
    } finally {
      for (RawGrpc connection : connections) {
        connection.close();
      }
    }
  }

  /** With 35 MB of heap, of which bodies may take a third; all of these would be 400 MB. */
  @Test
  void shouldSurviveMessagesThatAreNeverFinished() {
    List<String> statuses = new CopyOnWriteArrayList<>();
    Buffer part =
        Buffer.buffer().appendByte((byte) 0).appendInt(255_000).appendBytes(new byte[250_000]);
    HttpClient client =
        system
            .vertx()
            .createHttpClient(
                new HttpClientOptions()
                    .setProtocolVersion(HttpVersion.HTTP_2)
                    .setHttp2ClearTextUpgrade(false)
                    .setHttp2MaxPoolSize(8)
                    .setHttp2MultiplexingLimit(100));
    int many = 800;
    List<CompletableFuture<Void>> written = new ArrayList<>();
    for (int i = 0; i < many; i++) {
      CompletableFuture<Void> one = new CompletableFuture<>();
      written.add(one);
      client
          .request(
              HttpMethod.POST,
              gateway.grpcPort(),
              "127.0.0.1",
              "/" + GrpcCalls.SERVICE + "/Request")
          .onSuccess(
              request -> {
                request.putHeader("content-type", "application/grpc").putHeader("te", "trailers");
                request
                    .response()
                    .onSuccess(response -> statuses.add(response.getHeader("grpc-status")));
                request.setChunked(true).write(part).onComplete(sent -> one.complete(null));
              })
          .onFailure(refused -> one.complete(null));
    }
    String exhausted = Integer.toString(Status.Code.RESOURCE_EXHAUSTED.value());
    within(Duration.ofMinutes(1)).until(() -> statuses.size() > many / 2);
    assertThat(statuses).containsOnly(exhausted);
    client.close().toCompletionStage().toCompletableFuture().join();

    eventually()
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(calls.ask("f", "x".repeat(200_000))).hasSize(200_000));
  }

  /** 250 KB each, of less than 1 KB on the wire; all of them would be 50 MB. */
  @ParameterizedTest
  @ValueSource(strings = {RawGrpc.REQUEST, RawGrpc.HEALTH})
  void shouldSurviveMessagesThatAreLargerThanTheyCome(String path) throws IOException {
    byte[] message = GrpcCalls.data("f", "x".repeat(250_000)).toByteArray();
    if (path.equals(RawGrpc.HEALTH)) {
      message = GrpcCalls.data("x".repeat(250_000), "").toByteArray();
    }
    try (RawGrpc one = new RawGrpc(gateway.grpcPort(), WINDOW);
        RawGrpc other = new RawGrpc(gateway.grpcPort(), WINDOW)) {
      for (RawGrpc connection : List.of(one, other)) {
        for (int i = 0; i < 100; i++) {
          connection.open(path, "grpc-encoding", "gzip");
          connection.message(message, true, false);
        }
      }
      one.next(RawGrpc.RESET); // one that there is no room for
      other.next(RawGrpc.RESET);
    }
    eventually()
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(calls.ask("f", "x".repeat(200_000))).hasSize(200_000));
  }

  /** 190 entries each, which are 25 KB of objects; all of them would be 27 MB. */
  @Test
  void shouldSurviveCallsOfNothingButMetadata() throws IOException {
    String[] metadata = new String[2 * 190];
    for (int i = 0; i < metadata.length; i += 2) {
      metadata[i] = "a" + i;
      metadata[i + 1] = "b";
    }
    List<RawGrpc> connections = new ArrayList<>();
    try {
      for (int i = 0; i < CONNECTIONS; i++) {
        connections.add(new RawGrpc(gateway.grpcPort(), WINDOW));
        for (int call = 0; call < 100; call++) {
          connections.getLast().open(RawGrpc.REQUEST, metadata);
        }
        for (int call = 0; call < 100; call++) {
          connections.getLast().next(RawGrpc.RESET);
        }
      }
    } finally {
      for (RawGrpc connection : connections) {
        connection.close();
      }
    }
    eventually()
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(calls.ask("f", "x")).isEqualTo("x"));
  }

  /** Names that HTTP/2 carries, and grpc-java takes, but not into a key. */
  @ParameterizedTest
  @ValueSource(strings = {"a b", "a:b", "\u00e9", "a("})
  void shouldRefuseMetadataThatNoHeaderCanHave(String name) throws IOException {
    try (RawGrpc connection = new RawGrpc(gateway.grpcPort(), WINDOW)) {
      connection.open(RawGrpc.REQUEST, name, "x");
      connection.message(GrpcCalls.data("f", "x").toByteArray(), false, true);

      connection.next(RawGrpc.HEADERS);
    }
    assertThat(gateway.log()).noneMatch(line -> line.contains("level=ERROR"));
  }

  /** Which is the client's to mend, not the function's. */
  @Test
  void shouldBlameTheClientForMetadataThatNoHeaderCanHave() throws IOException {
    try (RawGrpc connection = new RawGrpc(gateway.grpcPort(), WINDOW)) {
      connection.open(RawGrpc.REQUEST, "a", "\u00e9");
      connection.message(GrpcCalls.data("f", "x").toByteArray(), false, true);

      connection.next(RawGrpc.HEADERS);
    }
    assertThat(gateway.get("/q/metrics").body())
        .contains("outcome=\"bad_request\"")
        .doesNotContain("outcome=\"bad_response\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {RawGrpc.HEALTH, RawGrpc.REFLECTION})
  void shouldSayThatAMessageIsBroken(String path) throws IOException {
    try (RawGrpc connection = new RawGrpc(gateway.grpcPort(), WINDOW)) {
      connection.open(path);
      connection.message(new byte[] {-1, -1}, false, true);

      assertThat(connection.next(RawGrpc.HEADERS)).contains("the message is broken");
    }
    assertThat(gateway.log()).noneMatch(line -> line.startsWith("\tat "));
  }

  /** A client may offer to remember 4 GiB of them; each of these has 3 KB that no other has. */
  @Test
  void shouldRememberFewFieldsOfAnswers() throws IOException {
    String name = "x".repeat(3_000);
    long before = gateway.liveHeap();
    try (RawGrpc connection = new RawGrpc(gateway.grpcPort(), WINDOW)) {
      connection.set(RawGrpc.HEADER_TABLE_SIZE, -1);
      for (int i = 0; i < 40; i++) {
        for (int call = 0; call < 100; call++) {
          connection.openAndEnd("/none/" + i + call + name);
        }
        for (int call = 0; call < 100; call++) {
          connection.next(RawGrpc.HEADERS);
        }
      }
      assertThat(gateway.liveHeap() - before).isLessThan(4_000_000);
    }
  }

  /** A watch does not end by itself, and whatever it holds is nobody else's meanwhile. */
  @Test
  void shouldLetAFewWatchItsHealth() throws Exception {
    HealthGrpc.HealthStub health = HealthGrpc.newStub(calls.channel());
    List<Context.CancellableContext> watching = new ArrayList<>();
    List<ServingStatus> heard = new CopyOnWriteArrayList<>();
    List<Status.Code> refused = new CopyOnWriteArrayList<>();
    StreamObserver<HealthCheckResponse> watcher =
        new StreamObserver<>() {
          @Override
          public void onNext(HealthCheckResponse response) {
            heard.add(response.getStatus());
          }

          @Override
          public void onError(Throwable failure) {
            refused.add(Status.fromThrowable(failure).getCode());
          }

          @Override
          public void onCompleted() {}
        };
    for (int i = 0; i < 5; i++) {
      Context.CancellableContext one = Context.current().withCancellation();
      watching.add(one);
      one.run(() -> health.watch(HealthCheckRequest.getDefaultInstance(), watcher));
    }
    eventually().until(() -> heard.size() == 2 && refused.size() == 3);
    assertThat(heard).containsOnly(ServingStatus.SERVING);
    assertThat(refused).containsOnly(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(calls.ask("f", "x")).isEqualTo("x");

    watching.forEach(one -> one.cancel(null));
    eventually().until(() -> refused.size() == 5); // two of them by the test
    eventually()
        .until(
            () -> {
              int before = heard.size();
              int refusedBefore = refused.size();
              health.watch(HealthCheckRequest.getDefaultInstance(), watcher);
              eventually().until(() -> heard.size() > before || refused.size() > refusedBefore);
              return heard.size() > before;
            });
  }

  @Test
  void shouldEndACallWhoseAnswerIsNotTaken() throws IOException {
    try (RawGrpc connection = new RawGrpc(gateway.grpcPort(), 0)) {
      connection.open(RawGrpc.REQUEST);
      connection.message(GrpcCalls.data("f", "x".repeat(16_000)).toByteArray(), false, true);

      connection.next(RawGrpc.HEADERS);
      connection.next(RawGrpc.RESET);
    }
  }
}
