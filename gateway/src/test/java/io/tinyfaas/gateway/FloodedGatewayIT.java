package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.device.Device;
import io.tinyfaas.harness.flood.Flood;
import io.tinyfaas.harness.flood.HalfHandshake;
import io.tinyfaas.harness.flood.RawGrpc;
import io.tinyfaas.harness.flood.RunningFlood;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

/** A neighbour that takes of each protocol as much as there is, with the limits as they come. */
@Tag("slow")
@TestInstance(Lifecycle.PER_CLASS)
class FloodedGatewayIT {

  private static final int HTTP_CONNECTIONS = 1_000;
  private static final int GRPC_CONNECTIONS = 192;
  private static final int CALLS_PER_CONNECTION = 100;
  private static final int WINDOW = 65_535;
  private static final int HANDSHAKES = 128;
  private static final int SESSIONS = 100;
  private static final int SENDERS = 45;
  private static final int NEWCOMERS = 5;

  /** What the gateway is itself, with all that its case has begun before, and some megabytes. */
  private static final long MAX_LIVE_BYTES = 40_000_000;

  private static final Duration HANDSHAKES_WITHIN = Duration.ofSeconds(15);
  private static final Duration A_MINUTE = Duration.ofMinutes(1);

  private DtlsGateway gateway;
  private DtlsDevice device;
  private GrpcCalls calls;

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    gateway = new DtlsGateway(folder);
    gateway.register();
    device = gateway.device("button", DtlsGateway.KEY);
    calls = new GrpcCalls(gateway.process().grpcPort());
    assertThat(calls.ask("any", "x")).contains("by grpc");
  }

  @AfterEach
  void shouldStillAnswer() {
    awaitAnswer(device);
    assertThat(gateway.process().log()).noneMatch(line -> line.contains("OutOfMemoryError"));
  }

  private static void awaitAnswer(DtlsDevice device) {
    within(A_MINUTE).untilAsserted(() -> assertThat(device.get("any")).startsWith("2.05 button"));
  }

  @AfterAll
  void stop() {
    calls.close();
    device.close();
    gateway.close();
  }

  /** Each answer is no more than a status, which no window bounds; all of them would be 200 MB. */
  @Test
  void shouldSurviveGrpcClientsThatTakeNoAnswers() throws Exception {
    Callable<Void> client =
        () -> {
          try (RawGrpc connection = new RawGrpc(gateway.process().grpcPort(), WINDOW)) {
            connection.askNobody(200_000);
          } catch (SocketException e) {
            // The gateway need not read it all.
          }
          return null;
        };
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<Void> each : threads.invokeAll(Collections.nCopies(4, client))) {
        each.get();
      }
    }
    within(A_MINUTE).ignoreExceptions().until(() -> calls.ask("any", "x").contains("by grpc"));
  }

  /** Each of them would be held. */
  @Test
  void shouldSurviveAGrpcMessageOfEmptyFrames() throws IOException {
    try (RawGrpc connection = new RawGrpc(gateway.process().grpcPort(), WINDOW)) {
      connection.open(RawGrpc.REQUEST);
      connection.emptyFrames(1_000_000);
    } catch (SocketException e) {
      // The gateway need not read it all.
    }
    within(A_MINUTE).ignoreExceptions().until(() -> calls.ask("any", "x").contains("by grpc"));
    assertThat(gateway.process().log()).noneMatch(line -> line.contains("level=WARN"));
  }

  @Test
  void shouldSurviveAsManyGrpcCallsAsConnectionsCanHave() {
    try (RunningFlood flood =
        Flood.grpc()
            .connections(GRPC_CONNECTIONS - 1)
            .calls(CALLS_PER_CONNECTION)
            .halfOpen()
            .start(gateway.process().grpcPort())) {
      flood.awaitSent();
      within(A_MINUTE)
          .until(() -> flood.outcomes().keySet().stream().anyMatch(of -> of.startsWith("reset")));
      within(A_MINUTE)
          .untilAsserted(
              () ->
                  assertThat(device.get("any"))
                      .as("though it may be to come back")
                      .isNotEqualTo("none"));
    }
    within(A_MINUTE).ignoreExceptions().until(() -> calls.ask("any", "x").contains("by grpc"));
  }

  /** Of each 9 MB of answers, of which the kernel takes a part. */
  @Test
  void shouldSurviveHttpClientsThatTakeNoAnswers() {
    try (RunningFlood flood =
        Flood.http()
            .connections(20)
            .path("/nobody")
            .pipelined(20_000) // or as many as the gateway takes
            .unread()
            .start(gateway.process().httpPort())) {
      for (int i = 0; i < 20; i++) { // meanwhile it has answered all that it would
        within(A_MINUTE).ignoreExceptions().until(() -> get().startsWith("HTTP/1.1 200"));
      }
      awaitAnswer(device);
      assertThat(flood.hasEnded()).isFalse();
    }
  }

  /** 20 KB of objects each, and what fits into the room that they leave. */
  @Test
  void shouldSurviveHttpRequestsWhoseHeadsAreNeverComplete() {
    List<RunningFlood> floods = new ArrayList<>();
    try {
      for (int fields : List.of(86, 86, 86, 8, 1)) {
        floods.add(
            Flood.http()
                .connections(HTTP_CONNECTIONS / 5)
                .path("/any")
                .field("a: " + "v".repeat(80), fields)
                .unfinished()
                .start(gateway.process().httpPort())
                .awaitSent());
      }
      awaitAnswer(device);
    } finally {
      floods.forEach(RunningFlood::close);
    }
    within(A_MINUTE).ignoreExceptions().until(() -> get().startsWith("HTTP/1.1 200"));
  }

  /** A hundred bytes of objects for each field, of any program on the box. */
  @Test
  void shouldSurviveThoseWhoAskForItsHealth() {
    try (RunningFlood flood =
        Flood.http()
            .connections(60)
            .path("/q/health/live")
            .field("a:", 8_000)
            .unfinished()
            .start(gateway.process().healthPort())) {
      flood.awaitSent();
      awaitAnswer(device);
    }
    within(A_MINUTE)
        .ignoreExceptions()
        .until(() -> gateway.process().get("/q/health/live").statusCode() == 200);
  }

  /** Vert.x makes objects of all that it reads, and keeps answers that nobody takes. */
  @Test
  void shouldSurviveThoseWhoAskForItsHealthAgainAndAgainAndTakeNoAnswers() {
    try (RunningFlood flood =
        Flood.http()
            .connections(60)
            .path("/q/health/live")
            .pipelined(20_000)
            .unread()
            .start(gateway.process().healthPort())) {
      flood.awaitSent();
      awaitAnswer(device);
    }
    within(A_MINUTE)
        .ignoreExceptions()
        .until(() -> gateway.process().get("/q/health/live").statusCode() == 200);
  }

  private String get() throws IOException {
    try (RawHttp raw = new RawHttp(gateway.process().httpPort())) {
      return raw.send("GET /any HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").readAll();
    }
  }

  @Test
  void shouldHaveSessionsWithAsManyDevicesAsThereAre() {
    Device[] devices =
        IntStream.range(0, SESSIONS)
            .mapToObj(number -> DtlsGateway.withKey("lamp-" + number, DtlsGateway.KEY))
            .toArray(Device[]::new);
    gateway.register(devices);
    try (RunningFlood flood =
        Flood.dtls()
            .connections(SESSIONS)
            .sessions("lamp-", DtlsGateway.KEY)
            .path("any")
            .start(gateway.port())) {
      within(A_MINUTE)
          .untilAsserted(() -> assertThat(flood.outcomes()).containsEntry("2.05", (long) SESSIONS));
    }
    gateway.register();
  }

  /** As long as records can be: at once there would be more than the heap has room for. */
  @Test
  void shouldLetDevicesInBesideThoseThatSendWithoutEnd() {
    Device[] devices =
        IntStream.range(0, SENDERS)
            .mapToObj(number -> DtlsGateway.withKey("lamp-" + number, DtlsGateway.KEY))
            .toArray(Device[]::new);
    gateway.register(devices);
    awaitAnswer(device);
    try (RunningFlood flood =
        Flood.dtls()
            .connections(SENDERS)
            .addresses("127.0.41.1", SENDERS)
            .sessions("lamp-", DtlsGateway.KEY)
            .data(16_000)
            .start(gateway.port())) {
      flood.awaitSent();
      for (int newcomer = 0; newcomer < NEWCOMERS; newcomer++) {
        try (DtlsDevice other = gateway.device("button", DtlsGateway.KEY)) {
          awaitAnswer(other);
        }
      }
      assertThat(gateway.process().liveHeap()).isLessThan(MAX_LIVE_BYTES);
    }
    gateway.register();
  }

  /** Of one address; each costs a key exchange, and 10 KB for 15 s. */
  @Test
  void shouldBeginNoMoreHandshakesThanDevicesNeed() throws IOException {
    List<HalfHandshake> all = new ArrayList<>();
    List<HalfHandshake> begun = new ArrayList<>();
    try {
      for (int i = 0; i < HANDSHAKES + 4; i++) {
        all.add(new HalfHandshake(InetAddress.ofLiteral("127.0.40.1"), gateway.port()));
        if (all.getLast().isAnswered()) {
          begun.add(all.getLast());
        }
      }
      assertThat(begun).startsWith(all.subList(0, HANDSHAKES).toArray(HalfHandshake[]::new));
      for (int i = HANDSHAKES; i < begun.size(); i++) {
        assertThat(Duration.ofNanos(begun.get(i).end() - begun.get(i - HANDSHAKES).start()))
            .as("of this slow machine: the one so many before does not count any more")
            .isGreaterThan(HANDSHAKES_WITHIN);
      }
      try (DtlsDevice other = gateway.device("button", DtlsGateway.KEY)) {
        awaitAnswer(other);
      }
    } finally {
      all.forEach(HalfHandshake::close);
    }
  }
}
