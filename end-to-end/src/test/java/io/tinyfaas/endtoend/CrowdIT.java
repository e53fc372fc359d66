package io.tinyfaas.endtoend;

import static io.restassured.RestAssured.given;
import static io.tinyfaas.harness.Eventually.patient;
import static io.tinyfaas.harness.Eventually.within;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.flood.Flood;
import io.tinyfaas.harness.flood.RunningFlood;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * All at once: as many functions, observers, sessions and clients as there may be, and all loads
 * that are known to be hard to bear. Of all that a device with ordinary calls notices nothing,
 * nothing is restarted, and afterwards the memory is free again. It takes the machine for itself,
 * and so is not among those that {@code make test} runs: {@code make test-again CASE=CrowdIT
 * TIMES=1}.
 */
@Tag("alone")
class CrowdIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.CROWDED;

  private static final Duration LOAD = Duration.ofMinutes(2);

  private static final int FUNCTIONS = 1_000;

  /** Those that are named by numbers. */
  private static final int MANY = FUNCTIONS - 4;

  private static final int SESSIONS = 800;
  private static final int HTTP_CLIENTS = 2_000;
  private static final int AT_ONCE = 8;
  private static final Duration ANSWER = Duration.ofSeconds(20);
  private static final String KEY = "sixteen-and-more";

  private static final List<String> SERVICES = List.of("gateway", "manager", "broker");

  /** Of a generation of the heap, as jcmd tells it. */
  private static final Pattern USED = Pattern.compile("total \\d+K, used (\\d+)K");

  /**
   * What the gateway may hold more when the floods have gone, beside observers and sessions, which
   * stay: messages and answers that may be asked for again for four minutes (RFC 7252, 4.8.2).
   */
  private static final long REMEMBERED_BYTES = 5_000_000;

  private static final Functions FUNCTION = new Functions(SYSTEM);
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @BeforeAll
  static void prepare() throws IOException {
    FUNCTION.deploy("quick", Map.of("runtime", "nodejs", "timeout", "5m"), Code.answering("quick"));
    FUNCTION.deploy("slow", Code.slow(8_000));
    FUNCTION.deploy("slower", Code.slow(8_000));
    FUNCTION.deploy(
        "headers",
        Code.node(
            "module.exports = (req, res) => { for (let i = 0; i < 2700; i++) res.set('a' + i, '');"
                + " res.send(''); };"));
    register();
    new RoutesOfMany(SYSTEM, FUNCTION)
        .serve(FUNCTIONS, List.of("quick", "slow", "slower", "headers"), "quick");
  }

  /** On a busy machine the broker may not keep up with all these tables: then once more. */
  private static void register() {
    try (ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE)) {
      IntStream.range(0, SESSIONS)
          .mapToObj(number -> CompletableFuture.runAsync(() -> register("lamp-" + number), threads))
          .toList()
          .forEach(CompletableFuture::join);
    }
  }

  private static void register(String name) {
    within(Duration.ofMinutes(1))
        .until(
            () ->
                SYSTEM
                    .rest()
                    .contentType("application/json")
                    .body(
                        "{\"keyHex\":\"" + HexFormat.of().formatHex(KEY.getBytes(US_ASCII)) + "\"}")
                    .put("/devices/" + name)
                    .statusCode(),
            status -> status == 201);
  }

  @AfterAll
  static void remove() {
    SYSTEM.remove();
  }

  @Test
  void shouldBearAllAtOnceAndServeADeviceMeanwhile() throws IOException {
    useEachFunction();
    try (RunningFlood observers =
            Flood.coap()
                .connections(MANY)
                .addresses("127.1.0.1", 100)
                .path("many-#")
                .observe()
                .start(SYSTEM.coapPort());
        RunningFlood sessions =
            Flood.dtls()
                .connections(SESSIONS)
                .addresses("127.1.1.1", 100)
                .sessions("lamp-", KEY)
                .path("quick")
                .again(20_000)
                .start(SYSTEM.coapsPort())) {
      within(Duration.ofMinutes(1))
          .untilAsserted(
              () -> {
                assertThat(sessions.outcome("2.05")).as("%s", sessions).isGreaterThan(SESSIONS);
                assertThat(observers.outcome("2.05"))
                    .as("but for those whose datagrams were lost: %s", observers)
                    .isGreaterThan(MANY * 9 / 10);
              });
      List<String> started = starts();
      long before = liveHeap();

      flood(started);

      assertThat(starts()).as("starts of %s", SERVICES).isEqualTo(started);
      for (String service : List.of("gateway", "manager")) {
        assertThat(SYSTEM.docker("logs", SYSTEM.container(service)))
            .noneMatch(line -> line.contains("OutOfMemoryError"));
      }
      within(Duration.ofMinutes(1))
          .untilAsserted(
              () ->
                  assertThat(liveHeap())
                      .as("of which %d were used before", before)
                      .isLessThan(before + REMEMBERED_BYTES));
    }
    use("quick"); // the others may be gone: the manager replaces a handler that was too busy
  }

  private static void flood(List<String> started) {
    Map<String, RunningFlood> floods = new LinkedHashMap<>();
    SteadyDevice device = new SteadyDevice(SYSTEM, "quick", "quick");
    try (device) {
      long end = System.nanoTime() + LOAD.toNanos();
      begin(floods);
      while (System.nanoTime() < end) {
        awaitHealthOfManager();
        assertThat(device.failures()).isEmpty();
        assertThat(starts()).as("starts of %s", SERVICES).isEqualTo(started);
      }
    } finally {
      floods.forEach((name, flood) -> System.out.println(name + ": " + flood));
      floods.values().forEach(RunningFlood::close);
      System.out.println("device: " + device.summary());
    }
    assertThat(device.failures()).as(device.summary()).isEmpty();
  }

  /** By CoAP and by HTTP, one after the other, as they are used in the course of a day. */
  private static void useEachFunction() throws IOException {
    for (int number = 0; number < MANY; number++) {
      use("many-" + number);
    }
  }

  private static void use(String function) throws IOException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(SYSTEM.httpUri(function)))
            .version(HttpClient.Version.HTTP_1_1)
            .timeout(patient(ANSWER))
            .build();
    try (RawDevice device = new RawDevice(SYSTEM.coapPort())) {
      assertThat(device.get(function, patient(ANSWER)))
          .contains(new RawDevice.Answer("2.05", "quick"));
      assertThat(HTTP.send(request, BodyHandlers.ofString()).body()).isEqualTo("quick");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  private static void begin(Map<String, RunningFlood> floods) {
    floods.put(
        "HTTP clients",
        Flood.http()
            .connections(HTTP_CLIENTS)
            .addresses("127.1.2.1", 200)
            .path("/quick")
            .again(20_000)
            .start(SYSTEM.httpPort()));
    floods.put(
        "gRPC calls",
        Flood.grpc()
            .connections(50)
            .addresses("127.1.3.1", 50)
            .calls(10)
            .function("slow")
            .again(1_000)
            .start(SYSTEM.grpcPort()));
    floods.put(
        "heads that never end",
        Flood.http()
            .connections(90)
            .addresses("127.2.0.1", 1)
            .path("/quick")
            .field("a:", 3_900)
            .unfinished()
            .again(5_000)
            .start(SYSTEM.httpPort()));
    floods.put(
        "heads without a body",
        Flood.http()
            .connections(70)
            .addresses("127.2.1.1", 1)
            .path("/quick")
            .field("a:", 84)
            .contentLength(9)
            .again(5_000)
            .start(SYSTEM.httpPort()));
    floods.put(
        "bodies that never come",
        Flood.http()
            .connections(1_000)
            .addresses("127.2.2.1", 1)
            .path("/quick")
            .contentLength(1_000_000)
            .again(10_000)
            .start(SYSTEM.httpPort()));
    floods.put(
        "half bodies",
        Flood.http()
            .connections(87)
            .addresses("127.2.3.1", 1)
            .path("/quick")
            .contentLength(210_000)
            .body(105_000)
            .again(10_000)
            .start(SYSTEM.httpPort()));
    floods.put(
        "empty options",
        Flood.coap()
            .addresses("127.2.4.1", 1)
            .requests(200)
            .path("slow")
            .queries(1_990)
            .again(5_000)
            .start(SYSTEM.coapPort()));
    floods.put(
        "empty options, NON",
        Flood.coap()
            .addresses("127.2.4.2", 1)
            .requests(800)
            .nonConfirmable()
            .path("quick")
            .queries(1_990)
            .start(SYSTEM.coapPort()));
    floods.put(
        "metadata",
        Flood.grpc()
            .connections(10)
            .addresses("127.2.5.1", 1)
            .calls(100)
            .metadata(220)
            .function("slow")
            .again(5_000)
            .start(SYSTEM.grpcPort()));
    floods.put(
        "half-open calls",
        Flood.grpc()
            .connections(30)
            .addresses("127.2.6.1", 1)
            .calls(100)
            .halfOpen()
            .again(5_000)
            .start(SYSTEM.grpcPort()));
    for (String function : List.of("slow", "slower")) {
      floods.put(
          "POSTs at " + function,
          Flood.coap()
              .connections(2)
              .addresses("127.2.7." + function.length(), 2)
              .requests(1_090)
              .path(function)
              .payload(1_024)
              .again(1_000)
              .start(SYSTEM.coapPort()));
    }
    floods.put(
        "tiny headers",
        Flood.http()
            .connections(70)
            .addresses("127.2.8.1", 1)
            .path("/headers")
            .again(1_000)
            .start(SYSTEM.httpPort()));
    floods.put(
        "half handshakes",
        Flood.dtls()
            .connections(1_000)
            .addresses("127.2.9.1", 1)
            .again(60_000)
            .start(SYSTEM.coapsPort()));
    floods.put(
        "at the broker", Flood.http().connections(60).unfinished().start(SYSTEM.brokerPort()));
    floods.put(
        "at the manager",
        Flood.http()
            .connections(300)
            .path("/functions")
            .field("a:", 9_500)
            .again(1_000)
            .start(SYSTEM.managerPort()));
  }

  /** Though most of its connections may be others'. */
  private static void awaitHealthOfManager() {
    within(Duration.ofSeconds(30))
        .pollInterval(Duration.ofSeconds(1))
        .ignoreExceptions()
        .until(
            () ->
                given()
                        .header("Connection", "close")
                        .get("http://127.0.0.1:" + SYSTEM.managerPort() + "/q/health/live")
                        .statusCode()
                    == 200);
  }

  /** When each service was started, and how often it was started again. */
  private static List<String> starts() {
    return SERVICES.stream()
        .map(
            service ->
                SYSTEM
                    .docker(
                        "inspect",
                        "--format",
                        "{{.Name}} {{.RestartCount}} {{.State.StartedAt}}",
                        SYSTEM.container(service))
                    .getFirst())
        .toList();
  }

  /** What the gateway's heap holds after a collection, in bytes. */
  private static long liveHeap() {
    String gateway = SYSTEM.container("gateway");
    SYSTEM.docker("exec", gateway, "jcmd", "1", "GC.run");
    return SYSTEM.docker("exec", gateway, "jcmd", "1", "GC.heap_info").stream()
        .map(USED::matcher)
        .filter(Matcher::find)
        .mapToLong(found -> 1_024 * Long.parseLong(found.group(1)))
        .sum();
  }
}
