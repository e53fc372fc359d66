package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.RetryOn;
import io.tinyfaas.harness.Seed;
import io.tinyfaas.harness.SmallDisk;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the packaged gateway has accepted outlives it, however it ends, and whatever the disk does.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class CallsRestartIT {

  private static final int KILLS = 20;
  private static final int STOPS = 5;
  private static final int CLIENTS = 3;

  /** Calls, with which something may happen at each moment; a slow machine takes longer to it. */
  private static final int ENOUGH = 100;

  @RegisterExtension final Seed seed = new Seed();

  @TempDir Path folder;

  private final HttpClient client = HttpClient.newHttpClient();

  /** Of each body that was accepted, where its call is. */
  private final Map<String, String> accepted = new ConcurrentHashMap<>();

  /** Of each body, the calls by which it came. */
  private final Map<String, Set<String>> calls = new ConcurrentHashMap<>();

  private final Map<String, AtomicInteger> done = new ConcurrentHashMap<>();
  private final Set<String> seenDone = ConcurrentHashMap.newKeySet();
  private final Set<String> ranAgain = ConcurrentHashMap.newKeySet();
  private final AtomicInteger number = new AtomicInteger();
  private volatile boolean ending;
  private ServedGateway system;

  @AfterEach
  void stop() {
    client.close();
    if (system != null) {
      system.close();
    }
  }

  private void start(Map<String, String> environment) {
    system = new ServedGateway(folder, environment, this::function);
    CallPolicy policy =
        new CallPolicy(false, 5, 100, 86_400_000, EnumSet.allOf(RetryOn.class), Optional.empty());
    CallPolicy durable =
        new CallPolicy(true, 5, 100, 86_400_000, EnumSet.allOf(RetryOn.class), Optional.empty());
    system.serve(
        PlayedManager.route("f", policy, system.handler()),
        PlayedManager.route("report", durable, system.handler()),
        PlayedManager.route("none", CallPolicy.DEFAULT));
  }

  /** What it does, the body says by its number: some fail, and of these some for good. */
  private void function(HttpServerRequest request, Buffer body) {
    String text = body.toString();
    String call = request.getHeader("X-tinyFaaS-Call");
    if (call == null) {
      request.response().end("at once");
      return;
    }
    calls.computeIfAbsent(text, its -> ConcurrentHashMap.newKeySet()).add(call);
    if (seenDone.contains(call)) {
      ranAgain.add(call);
    }
    int kind = Integer.parseInt(text.strip()) % 10;
    boolean isFirst = "1".equals(request.getHeader("X-tinyFaaS-Attempt"));
    if (kind == 0) {
      request.response().setStatusCode(422).end();
    } else if (kind < 4 && isFirst) {
      request.response().setStatusCode(503).end();
    } else {
      done.computeIfAbsent(call, its -> new AtomicInteger()).incrementAndGet();
      request.response().end("did it");
    }
  }

  private HttpRequest.Builder to(String path) {
    return HttpRequest.newBuilder(
            URI.create("http://127.0.0.1:" + system.process().httpPort() + path))
        .version(HttpClient.Version.HTTP_1_1)
        .timeout(patient(Duration.ofSeconds(30)));
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws IOException {
    try {
      return client.send(request.build(), BodyHandlers.ofString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  private HttpResponse<String> post(String path, String body, String... headers)
      throws IOException {
    HttpRequest.Builder request = to(path).POST(BodyPublishers.ofString(body));
    return send(headers.length == 0 ? request : request.headers(headers));
  }

  private Optional<String> state(String location) throws IOException {
    HttpResponse<String> call = send(to(location));
    return call.statusCode() == 200
        ? Optional.of(new JsonObject(call.body()).getString("state"))
        : Optional.empty();
  }

  private String awaitEnd(String location) {
    return eventually()
        .ignoreExceptions()
        .until(
            () -> state(location).orElse("unknown"),
            state -> state.equals("done") || state.equals("failed"));
  }

  /** Asks for calls until the test ends, and wants those with a key by all means. */
  private void client(Random random) {
    while (!ending) {
      String body = Integer.toString(number.incrementAndGet());
      int how = random.nextInt(3);
      boolean isTried = false;
      while (!isTried || how == 1 && !accepted.containsKey(body)) {
        isTried = true;
        try {
          HttpResponse<String> answer =
              switch (how) {
                case 0 -> post("/f", body, "Prefer", "respond-async");
                case 1 -> post("/calls/f", body, "Idempotency-Key", "k" + body);
                default -> post("/report", body + " ".repeat(random.nextInt(20_000)));
              };
          if (answer.statusCode() == 202) {
            accepted.put(body, answer.headers().firstValue("Location").orElseThrow());
          }
          look(random);
        } catch (IOException | RuntimeException | AssertionError e) {
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20)); // there is none at the moment
        }
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(10)));
    }
  }

  private void look(Random random) throws IOException {
    List<String> locations = List.copyOf(accepted.values());
    if (!locations.isEmpty()) {
      String location = locations.get(random.nextInt(locations.size()));
      if (state(location).filter("done"::equals).isPresent()) {
        seenDone.add(location.substring("/calls/".length()));
      }
    }
  }

  private List<Thread> startClients() {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      Random random = new Random(seed.value() + i);
      threads.add(Thread.ofPlatform().daemon().name("client-" + i).start(() -> client(random)));
    }
    return threads;
  }

  private void end(List<Thread> clients) throws InterruptedException {
    ending = true;
    for (Thread each : clients) {
      each.join();
    }
  }

  private void checkAll() {
    accepted.forEach(
        (body, location) -> {
          String state = awaitEnd(location);
          assertThat(state)
              .as(body)
              .isEqualTo(Integer.parseInt(body) % 10 == 0 ? "failed" : "done");
        });
    Set<String> ran = ConcurrentHashMap.newKeySet();
    calls.values().forEach(ran::addAll);
    assertThat(ran).containsAll(accepted.values().stream().map(its -> its.substring(7)).toList());
    assertThat(ranAgain).as("seen as done, and run again").isEmpty();
  }

  @Test
  @Tag("slow")
  void shouldLoseNothingWhenItIsKilled() throws Exception {
    start(Map.of());
    Random random = seed.random();
    List<Thread> clients = startClients();
    for (int kill = 0; kill < KILLS || accepted.size() <= ENOUGH; kill++) {
      system.process().httpPort(); // it has started
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(800)));
      system.process().kill();
      system.startAgain();
    }
    end(clients);

    checkAll();
    accepted.forEach(
        (body, location) -> assertThat(calls.get(trimmed(body))).as(body).hasSizeLessThan(2));
  }

  /** By which the function knows it: that of the durable ones is longer. */
  private String trimmed(String body) {
    return calls.keySet().stream()
        .filter(each -> each.strip().equals(body))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void shouldLoseNothingAndRunNothingTwiceWhenItIsStopped() throws Exception {
    start(Map.of());
    Random random = seed.random();
    List<Thread> clients = startClients();
    for (int stop = 0; stop < STOPS || accepted.size() <= ENOUGH; stop++) {
      system.process().httpPort();
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(500 + random.nextInt(800)));
      system.process().terminate();
      assertThat(system.process().awaitExit()).isEqualTo(143);
      system.startAgain();
    }
    end(clients);

    checkAll();
    assertThat(done).allSatisfy((call, times) -> assertThat(times.get()).as(call).isEqualTo(1));
    assertThat(system.process().log())
        .filteredOn(line -> line.contains("event=call-failed"))
        .allMatch(line -> line.contains("reason=\"status 422\""));
  }

  @Test
  void shouldServeWhatNeedsNoDiskWithoutAFolder() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    start(Map.of("TINYFAAS_CALLS_FOLDER", file.toString()));

    assertNotStored(post("/f", "1", "Prefer", "respond-async"));
    assertNotStored(post("/report", "1"));
    assertThat(post("/f", "1").body()).isEqualTo("at once");
    assertThat(logged("event=calls-off folder=" + file)).isEqualTo(1);
  }

  private void assertNotStored(HttpResponse<String> refused) {
    assertThat(refused.statusCode()).as(refused.body()).isEqualTo(503);
    assertThat(refused.body()).contains("call-not-stored");
    assertThat(refused.headers().firstValue("Retry-After")).isPresent();
  }

  private long logged(String text) {
    return system.process().log().stream().filter(line -> line.contains(text)).count();
  }

  @Test
  void shouldLeaveTheFolderToTheFirst() throws IOException {
    start(Map.of());
    try (ServedGateway second =
        new ServedGateway(
            Files.createDirectory(folder.resolve("second")),
            Map.of("TINYFAAS_CALLS_FOLDER", folder.resolve("calls").toString()),
            (request, body) -> request.response().end("second"))) {
      second.serve(PlayedManager.route("f", CallPolicy.DEFAULT, second.handler()));
      ServedGateway first = system;
      system = second;
      assertNotStored(post("/f", "1", "Prefer", "respond-async"));
      assertThat(post("/f", "1").body()).isEqualTo("second");
      assertThat(logged("in use by another gateway")).isEqualTo(1);
      system = first;
    }

    String location =
        post("/f", "1", "Prefer", "respond-async").headers().firstValue("Location").orElseThrow();
    assertThat(awaitEnd(location)).isEqualTo("done");
  }

  @Test
  void shouldRunTheRestOfWhatIsDamaged() throws IOException {
    start(Map.of());
    List<String> locations = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      locations.add(
          post("/none", (10 * i + 5) + " ".repeat(2_000), "Prefer", "respond-async")
              .headers()
              .firstValue("Location")
              .orElseThrow());
    }
    system.process().kill();
    damage();
    system.startAgain();
    system.manager().apply(1, 2, PlayedManager.route("none", CallPolicy.DEFAULT, system.handler()));

    int run = 0;
    for (String location : locations) {
      if (state(location).isPresent() && awaitEnd(location).equals("done")) {
        run++;
      }
    }
    assertThat(run).isBetween(15, 19);
    assertThat(logged("event=journal-damaged")).isEqualTo(1);
    assertThat(post("/none", "5", "Prefer", "respond-async").statusCode()).isEqualTo(202);
  }

  /** Some bytes in the middle of the largest segment. */
  private void damage() throws IOException {
    Path largest;
    try (Stream<Path> files = Files.list(folder.resolve("calls"))) {
      largest =
          files
              .filter(file -> file.toString().endsWith(".segment"))
              .max((one, other) -> Long.compare(one.toFile().length(), other.toFile().length()))
              .orElseThrow();
    }
    try (RandomAccessFile file = new RandomAccessFile(largest.toFile(), "rw")) {
      long middle = file.length() / 2;
      byte[] bytes = new byte[16];
      file.seek(middle);
      file.readFully(bytes);
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] ^= 0x55;
      }
      file.seek(middle);
      file.write(bytes);
    }
  }

  @Test
  void shouldKeepWhatItHasWhenTheDiskIsFull() throws IOException {
    Path small = Files.createDirectory(folder.resolve("small"));
    try (SmallDisk disk = new SmallDisk(small)) {
      try {
        keepOn(disk, small.resolve("calls"));
      } finally {
        system.close(); // before its disk goes
        system = null;
      }
    }
  }

  private void keepOn(SmallDisk disk, Path callsFolder) throws IOException {
    start(
        Map.of("TINYFAAS_CALLS_FOLDER", callsFolder.toString(), "TINYFAAS_CALLS_MAX_BYTES", "1M"));
    disk.fillUpTo(300_000);
    List<String> locations = new ArrayList<>();
    HttpResponse<String> answer = post("/none", "5", "Prefer", "respond-async");
    for (int i = 1; answer.statusCode() == 202 && i < 1_000; i++) {
      locations.add(answer.headers().firstValue("Location").orElseThrow());
      answer = post("/none", (10 * i + 5) + " ".repeat(5_000), "Prefer", "respond-async");
    }
    assertNotStored(answer);
    assertThat(locations).hasSizeGreaterThan(10);
    assertThat(post("/f", "1").body()).isEqualTo("at once");

    system.manager().apply(1, 2, PlayedManager.route("none", CallPolicy.DEFAULT, system.handler()));
    for (String location : locations) {
      assertThat(awaitEnd(location)).isEqualTo("done");
    }
    disk.makeRoom();
    eventually()
        .untilAsserted(
            () ->
                assertThat(post("/none", "5", "Prefer", "respond-async").statusCode())
                    .isEqualTo(202));
    system.process().kill();
    system.startAgain();
    for (String location : locations) {
      assertThat(awaitEnd(location)).isEqualTo("done");
    }
    assertThat(done.values()).allSatisfy(times -> assertThat(times.get()).isEqualTo(1));
  }
}
