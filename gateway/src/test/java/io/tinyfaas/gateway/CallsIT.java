package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.RetryOn;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls by HTTP on the packaged gateway: accepted, run, tried again, seen and forgotten. */
@TestInstance(Lifecycle.PER_CLASS)
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class CallsIT {

  /** What the function got, in the order in which it was asked. */
  private record Heard(Map<String, String> headers, String body) {}

  private final List<Heard> heard = new CopyOnWriteArrayList<>();
  private final HttpClient client = HttpClient.newHttpClient();
  private ServedGateway system;
  private volatile int failures;

  @BeforeAll
  void start(@TempDir Path folder) {
    system =
        new ServedGateway(
            folder,
            Map.of("TINYFAAS_MAX_BODY", "128K", "TINYFAAS_CALLS_KEEP_RESULTS", "1h"),
            this::function);
    system.serve(
        PlayedManager.route("f", policy(false, 3, Optional.empty()), system.handler()),
        PlayedManager.route("never", policy(false, 0, Optional.of("alarm")), system.handler()),
        PlayedManager.route("alarm", CallPolicy.DEFAULT, system.handler()),
        PlayedManager.route("report", policy(true, 3, Optional.empty()), system.handler()),
        PlayedManager.route("none", new CallPolicy(false, 3, 100, 1_000, all(), Optional.empty())));
  }

  private static EnumSet<RetryOn> all() {
    return EnumSet.allOf(RetryOn.class);
  }

  private static CallPolicy policy(boolean durable, int retries, Optional<String> onFailure) {
    return new CallPolicy(
        durable, retries, 100, 86_400_000, all(), onFailure.map(FunctionName::new));
  }

  @BeforeEach
  void forget() {
    heard.clear();
    failures = 0;
  }

  @AfterAll
  void stop() {
    client.close();
    system.close();
  }

  private void function(HttpServerRequest request, Buffer body) {
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    request.headers().forEach(header -> headers.put(header.getKey(), header.getValue()));
    heard.add(new Heard(headers, body.toString()));
    String path = headers.getOrDefault("X-tinyFaaS-Path", "");
    int attempt = Integer.parseInt(headers.getOrDefault("X-tinyFaaS-Attempt", "1"));
    if (path.startsWith("/status/")) {
      request.response().setStatusCode(Integer.parseInt(path.substring(8))).end("as asked");
    } else if (attempt <= failures) {
      request.response().setStatusCode(500).end("not yet");
    } else if (path.equals("/large")) {
      request.response().end(Buffer.buffer(new byte[70_000]));
    } else {
      request.response().putHeader("Content-Type", "text/plain").end("did " + body);
    }
  }

  private HttpRequest.Builder to(String path) {
    return HttpRequest.newBuilder(
            URI.create("http://127.0.0.1:" + system.process().httpPort() + path))
        .version(HttpClient.Version.HTTP_1_1)
        .timeout(patient(Duration.ofSeconds(30)));
  }

  private HttpRequest.Builder post(String path, String body) {
    return to(path).POST(BodyPublishers.ofString(body));
  }

  private HttpResponse<String> send(HttpRequest.Builder request) {
    try {
      return client.send(request.build(), BodyHandlers.ofString());
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** Its Location. */
  private String accept(HttpRequest.Builder request) {
    HttpResponse<String> accepted = send(request);
    assertThat(accepted.statusCode()).as(accepted.body()).isEqualTo(202);
    assertThat(accepted.body()).isEmpty();
    return accepted.headers().firstValue("Location").orElseThrow();
  }

  private JsonObject call(String location) {
    return new JsonObject(send(to(location)).body());
  }

  private JsonObject awaitState(String location, String state) {
    eventually()
        .untilAsserted(() -> assertThat(call(location).getString("state")).isEqualTo(state));
    return call(location);
  }

  @ParameterizedTest
  @CsvSource({
    "/f/x?y=1, X-tinyFaaS-Async, anything",
    "/f/x?y=1, Prefer, respond-async",
    "/f/x?y=1, Prefer, 'return=minimal, Respond-Async'",
    "/calls/f/x?y=1, X-Other, nothing",
    "/report/x?y=1, X-Other, nothing"
  })
  void shouldAcceptRunAndTell(String path, String name, String value) {
    String location = accept(post(path, "Ada").header(name, value));

    assertThat(location).matches("/calls/[A-Za-z0-9_-]{22}");
    JsonObject call = awaitState(location, "done");
    assertThat(call.getInteger("attempts")).isEqualTo(1);
    assertThat(call.getInteger("status")).isEqualTo(200);
    assertThat(call.getString("protocol")).isEqualTo("http");
    assertThat(Instant.parse(call.getString("finishedAt")))
        .isAfterOrEqualTo(Instant.parse(call.getString("acceptedAt")));
    assertThat(heard).hasSize(1);
    assertThat(heard.getFirst().body()).isEqualTo("Ada");
    assertThat(heard.getFirst().headers())
        .containsEntry("X-tinyFaaS-Method", "POST")
        .containsEntry("X-tinyFaaS-Path", "/x")
        .containsEntry("X-tinyFaaS-Query", "y=1")
        .containsEntry("X-tinyFaaS-Call", location.substring(7))
        .containsEntry("X-tinyFaaS-Attempt", "1");
    HttpResponse<String> result = send(to(location + "/result"));
    assertThat(result.statusCode()).isEqualTo(200);
    assertThat(result.body()).isEqualTo("did Ada");
    assertThat(result.headers().firstValue("Content-Type")).hasValue("text/plain");
    assertThat(send(to(location).DELETE()).statusCode()).isEqualTo(204);
    assertThat(send(to(location)).statusCode()).isEqualTo(404);
    assertThat(send(to(location).DELETE()).body()).contains("urn:tinyfaas:problem:unknown-call");
  }

  @Test
  void shouldNotWaitForOthersThanPosts() {
    assertThat(send(to("/report/x")).body()).isEqualTo("did ");
  }

  @Test
  void shouldTryAgain() {
    failures = 2;
    String location = accept(post("/f", "x").header("Prefer", "respond-async"));

    JsonObject call = awaitState(location, "done");
    assertThat(call.getInteger("attempts")).isEqualTo(3);
    assertThat(heard)
        .extracting(each -> each.headers().get("X-tinyFaaS-Attempt"))
        .containsExactly("1", "2", "3");
    assertThat(heard)
        .extracting(each -> each.headers().get("X-tinyFaaS-Call"))
        .containsOnly(location.substring(7));
  }

  @Test
  void shouldGiveUpAfterItsRetries() {
    failures = 100;
    String location = accept(post("/f", "x").header("Prefer", "respond-async"));

    JsonObject call = awaitState(location, "failed");
    assertThat(call.getInteger("attempts")).isEqualTo(4);
    assertThat(call.getInteger("status")).isEqualTo(500);
    assertThat(call.getString("reason")).isEqualTo("status 500: not yet");
    assertThat(send(to(location + "/result")).body()).contains("It is failed");
    assertThat(system.process().log())
        .anyMatch(
            line ->
                line.contains("event=call-failed function=f call=" + location.substring(7))
                    && line.contains("attempts=4"));
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 404, 422})
  void shouldNotTryAgainWhatIsWrong(int status) {
    String location = accept(post("/f/status/" + status, "x").header("Prefer", "respond-async"));

    assertThat(awaitState(location, "failed").getInteger("attempts")).isEqualTo(1);
  }

  @Test
  void shouldCallWhoIsForFailures() {
    String location = accept(post("/never/status/503", "report").header("Prefer", "respond-async"));

    awaitState(location, "failed");
    eventually().until(() -> heard.size() == 2);
    assertThat(heard.getLast().body()).isEqualTo("report");
    assertThat(heard.getLast().headers())
        .containsEntry("X-tinyFaaS-Result-Of", location.substring(7))
        .containsEntry("X-tinyFaaS-Result-Function", "never")
        .containsEntry("X-tinyFaaS-Result-State", "failed")
        .containsEntry("X-tinyFaaS-Result-Status", "503")
        .containsEntry("X-tinyFaaS-Result-Reason", "status 503: as asked");
  }

  @Test
  void shouldCallBackWithTheResult() {
    String location =
        accept(
            post("/f", "x")
                .header("Prefer", "respond-async")
                .header("X-tinyFaaS-Callback", "alarm"));

    awaitState(location, "done");
    eventually().until(() -> heard.size() == 2);
    assertThat(heard.getLast().body()).isEqualTo("did x");
    assertThat(heard.getLast().headers())
        .containsEntry("Content-Type", "text/plain")
        .containsEntry("X-tinyFaaS-Result-State", "done")
        .containsEntry("X-tinyFaaS-Result-Status", "200")
        .doesNotContainKey("X-tinyFaaS-Result-Reason");
  }

  @Test
  void shouldKnowARequestThatComesAgain() {
    HttpRequest.Builder first =
        post("/f", "x").header("Prefer", "respond-async").header("Idempotency-Key", "k-1");
    String location = accept(first);
    awaitState(location, "done");

    assertThat(accept(first)).isEqualTo(location);
    HttpResponse<String> other =
        send(post("/f", "y").header("Prefer", "respond-async").header("Idempotency-Key", "k-1"));
    assertThat(other.statusCode()).isEqualTo(422);
    assertThat(other.body()).contains("idempotency-key-reused");
    assertThat(
            accept(
                post("/alarm", "y")
                    .header("Prefer", "respond-async")
                    .header("Idempotency-Key", "k-1")))
        .isNotEqualTo(location);
    eventually().until(() -> heard.size() == 2);
  }

  @ParameterizedTest
  @CsvSource({
    "X-tinyFaaS-Delay, soon",
    "X-tinyFaaS-Delay, 31d",
    "X-tinyFaaS-Not-Before, tomorrow",
    "X-tinyFaaS-Callback, http://10.0.0.1/",
    "X-tinyFaaS-Callback, nobody"
  })
  void shouldRefuseWhatItCannotDo(String name, String value) {
    HttpResponse<String> refused =
        send(post("/f", "x").header("Prefer", "respond-async").header(name, value));

    assertThat(refused.statusCode()).isEqualTo(400);
    assertThat(refused.body()).contains(name);
    assertThat(heard).isEmpty();
  }

  @Test
  void shouldRunItLaterAndForgetItBefore() {
    String soon =
        accept(
            post("/f", "soon")
                .header("Prefer", "respond-async")
                .header("X-tinyFaaS-Delay", "300ms"));
    String late =
        accept(
            post("/f", "late").header("Prefer", "respond-async").header("X-tinyFaaS-Delay", "1h"));

    JsonObject call = call(late);
    assertThat(call.getString("state")).isEqualTo("waiting");
    assertThat(
            Duration.between(
                Instant.parse(call.getString("acceptedAt")),
                Instant.parse(call.getString("nextAttemptAt"))))
        .isEqualTo(Duration.ofHours(1));
    assertThat(send(to(late + "/result")).headers().firstValue("Retry-After")).hasValue("1");
    awaitState(soon, "done");
    assertThat(send(to(late).DELETE()).statusCode()).isEqualTo(204);
    assertThat(heard).extracting(Heard::body).containsExactly("soon");
  }

  @Test
  void shouldWaitForAHandlerNoLongerThanItsMaxAge() {
    String location = accept(post("/none", "x").header("Prefer", "respond-async"));

    JsonObject call = awaitState(location, "failed");
    assertThat(call.getInteger("attempts")).isZero();
    assertThat(call.getString("reason")).contains("maxAge").contains("no healthy handler");
  }

  @Test
  void shouldSayThatALargeResultIsNotKept() {
    String location = accept(post("/f/large", "x").header("Prefer", "respond-async"));

    awaitState(location, "done");
    HttpResponse<String> result = send(to(location + "/result"));
    assertThat(result.statusCode()).isEqualTo(410);
    assertThat(result.body()).contains("X-tinyFaaS-Callback");
  }

  @Test
  void shouldNotAcceptForWhatIsNotThere() {
    assertThat(send(post("/nobody", "x").header("Prefer", "respond-async")).statusCode())
        .isEqualTo(404);
    assertThat(send(post("/calls/nobody", "x")).statusCode()).isEqualTo(404);
    assertThat(send(to("/calls")).statusCode()).isEqualTo(404);
    assertThat(send(to("/calls/f")).body()).contains("unknown-call");
    assertThat(send(post("/calls", "x")).statusCode()).isEqualTo(404);
  }
}
