package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.RetryOn;
import io.tinyfaas.gateway.FunctionSocketClient.Answer;
import io.tinyfaas.harness.Command;
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
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
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

/** What a function gets by its socket: from the packaged gateway, with handlers that are played. */
@TestInstance(Lifecycle.PER_CLASS)
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class FunctionCallsIT {

  private static final long LONG = 120_000;

  private final HttpClient client = HttpClient.newHttpClient();

  /** What functions got, a line a header. */
  private final List<String> heard = new CopyOnWriteArrayList<>();

  private final HeldFunction held = new HeldFunction();
  private ServedGateway system;
  private PlayedCaller caller;
  private PlayedCaller loop;
  private TestHandler called;
  private Path socket;

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    system =
        new ServedGateway(
            folder,
            Map.of("TINYFAAS_MAX_BODY", "64K", "TINYFAAS_MAX_CONNECTIONS_PER_HANDLER", "2"),
            this::function);
    caller = new PlayedCaller(system.vertx(), folder, "a", this::function);
    loop = new PlayedCaller(system.vertx(), folder, "loop", this::function);
    called = new TestHandler(system.vertx(), folder, this::function);
    socket = caller.socket();
    CallPolicy durable =
        new CallPolicy(true, 0, 100, 86_400_000, EnumSet.allOf(RetryOn.class), Optional.empty());
    system.serve(
        PlayedManager.calling(
            "a", LONG, List.of("b", "chain", "missing", "brief", "lock", "kept"), caller.handler()),
        PlayedManager.calling("loop", LONG, List.of("loop"), loop.handler()),
        PlayedManager.calling("chain", LONG, List.of("b"), other(folder)),
        PlayedManager.route("b", LONG, called.handler()),
        PlayedManager.route("brief", 200, called.handler()),
        PlayedManager.route(
            "lock",
            LONG,
            new Exposure(Access.DEVICE, Exposure.Observable.NO, Map.of()),
            called.handler()),
        PlayedManager.route("kept", durable, called.handler()),
        PlayedManager.route("secret", LONG, called.handler()));
  }

  /** Of a function that may call, and does not. */
  private Handler other(Path folder) throws IOException {
    return new PlayedCaller(system.vertx(), folder, "chain", this::function).handler();
  }

  @AfterAll
  void stop() {
    client.close();
    caller.close();
    loop.close();
    called.close();
    system.close();
  }

  @BeforeEach
  void forget() {
    held.hold();
    eventually()
        .untilAsserted(
            () ->
                assertThat(system.process().get("/q/metrics").body())
                    .contains("tinyfaas_in_flight 0.0"));
    heard.clear();
  }

  private void function(HttpServerRequest request, Buffer body) {
    heard.add(ServedGateway.headers(request));
    switch (String.valueOf(request.getHeader("X-tinyFaaS-Path"))) {
      case "/held" -> held.answer(request, body);
      case "/again" -> loop.again(request, body);
      case "/hop" -> caller.call("/functions/b", request, body);
      default ->
          request
              .response()
              .setStatusCode(203)
              .putHeader("X-Own", "yes")
              .end(Buffer.buffer("got ").appendBuffer(body));
    }
  }

  private Answer ask(String method, String target, String body, String... fields) {
    return FunctionSocketClient.ask(socket, method, target, body, fields);
  }

  private HttpResponse<String> outside(String target, String... fields) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + system.process().httpPort() + target))
            .POST(BodyPublishers.ofString("x"));
    return client.send(
        (fields.length == 0 ? request : request.headers(fields)).build(), BodyHandlers.ofString());
  }

  @Test
  void shouldAnswerWhatTheCalledFunctionAnswers() {
    Answer answer =
        ask("PUT", "/functions/b/x/y?q=1", "hi", "Content-Type: text/plain", "traceparent: 00-1");

    assertThat(answer.status()).isEqualTo(203);
    assertThat(answer.header("X-Own")).contains("yes");
    assertThat(answer.body()).isEqualTo("got hi");
    assertThat(heard.getFirst())
        .contains(
            "x-tinyfaas-method: PUT",
            "x-tinyfaas-path: /x/y",
            "x-tinyfaas-query: q=1",
            "x-tinyfaas-protocol: function",
            "x-tinyfaas-caller: a",
            "content-type: text/plain",
            "traceparent: 00-1")
        .doesNotContain("x-tinyfaas-peer", "x-tinyfaas-depth", "x-tinyfaas-deadline");
  }

  @Test
  void shouldAnswerCurl() {
    String answer =
        Command.of(
                "curl",
                "-sS",
                "--unix-socket",
                socket.toString(),
                "-d",
                "hi",
                "http://box/functions/b")
            .lines()
            .getFirst();

    assertThat(answer).isEqualTo("got hi");
  }

  @Test
  void shouldKeepConnections() throws IOException {
    try (FunctionSocketClient connection = new FunctionSocketClient(socket)) {
      connection
          .send("GET /functions/b HTTP/1.1\r\nHost: box\r\n\r\n")
          .send("POST", "/functions/b", "2");
      assertThat(connection.readAll()).containsSubsequence("203", "got ", "203", "got 2");
    }
  }

  @Test
  void shouldTakeChunks() throws IOException {
    try (FunctionSocketClient connection = new FunctionSocketClient(socket)) {
      connection.send(
          "POST /functions/b HTTP/1.1\r\nHost: box\r\nConnection: close\r\n"
              + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
      assertThat(connection.answer().body()).isEqualTo("got hi");
    }
  }

  @Test
  void shouldTellNobodyWhatACallerClaims() {
    ask(
        "POST",
        "/functions/b",
        "",
        "X-tinyFaaS-Device: door",
        "X-tinyFaaS-Caller: z",
        "X-tinyFaaS-Peer: 192.0.2.1:1",
        "X-tinyFaaS-Protocol: coaps");

    assertThat(heard.getFirst())
        .contains("x-tinyfaas-caller: a", "x-tinyfaas-protocol: function")
        .doesNotContain("door", "z\n", "192.0.2.1", "coaps");
  }

  @Test
  void shouldTellAFunctionThatCallsNoneNothingOfItByHttp() throws Exception {
    outside("/b", "X-tinyFaaS-Caller", "z", "X-tinyFaaS-Depth", "3", "X-tinyFaaS-Deadline", "1");

    assertThat(heard.getFirst())
        .doesNotContain("x-tinyfaas-caller", "x-tinyfaas-depth", "x-tinyfaas-deadline");
  }

  @Test
  void shouldTellAFunctionThatCallsOthersHowDeepItIsAndUntilWhen() throws Exception {
    long before = System.currentTimeMillis();
    outside(
        "/chain", "X-tinyFaaS-Caller", "z", "X-tinyFaaS-Depth", "3", "X-tinyFaaS-Deadline", "1");
    ask("POST", "/functions/chain", "", "X-tinyFaaS-Depth: 3");

    assertThat(heard.get(0)).contains("x-tinyfaas-depth: 0").doesNotContain("x-tinyfaas-caller");
    assertThat(heard.get(1)).contains("x-tinyfaas-depth: 4", "x-tinyfaas-caller: a");
    for (String each : heard) {
      assertThat(deadline(each)).isBetween(before + LONG, System.currentTimeMillis() + LONG);
    }
  }

  private static long deadline(String headers) {
    return headers
        .lines()
        .filter(line -> line.startsWith("x-tinyfaas-deadline: "))
        .mapToLong(line -> Long.parseLong(line.substring("x-tinyfaas-deadline: ".length())))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void shouldPassADeadlineOn() {
    long deadline = System.currentTimeMillis() + LONG / 2;
    ask("POST", "/functions/chain", "", "X-tinyFaaS-Deadline: " + deadline);

    assertThat(deadline(heard.getFirst())).isBetween(deadline - 1, deadline);
  }

  @Test
  void shouldNotAskForWhatNobodyWaitsFor() {
    long past = System.currentTimeMillis() - 1;
    Answer answer = ask("POST", "/functions/b", "", "X-tinyFaaS-Deadline: " + past);

    assertThat(answer.status()).isEqualTo(504);
    assertThat(heard).isEmpty();
    assertThat(ask("POST", "/functions/b", "", "X-tinyFaaS-Deadline: 0").status()).isEqualTo(504);
  }

  @Test
  void shouldGiveTheCalledFunctionNoMoreTimeThanThereIs() {
    long soon = System.currentTimeMillis() + 300;
    assertThat(ask("POST", "/functions/b/held", "", "X-tinyFaaS-Deadline: " + soon).status())
        .isEqualTo(504);
    assertThat(ask("POST", "/functions/brief/held", "").status()).isEqualTo(504);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "X-tinyFaaS-Deadline: soon",
        "X-tinyFaaS-Deadline: -1",
        "X-tinyFaaS-Deadline: 9999999999999999999",
        "X-tinyFaaS-Deadline:",
        "X-tinyFaaS-Depth: deep",
        "X-tinyFaaS-Depth: -1",
        "X-tinyFaaS-Depth: 1.5"
      })
  void shouldRefuseWhatIsNoNumber(String field) {
    Answer answer = ask("POST", "/functions/b", "", field);

    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.detail()).contains("X-tinyFaaS-Deadline", "leave them out");
    assertThat(heard).isEmpty();
  }

  @Test
  void shouldEndWhatIsTooDeep() {
    assertThat(ask("POST", "/functions/chain", "", "X-tinyFaaS-Depth: 7").status()).isEqualTo(203);
    assertThat(heard.getFirst()).contains("x-tinyfaas-depth: 8");
    for (String depth : List.of("8", "9", "100000000000000000")) {
      Answer answer = ask("POST", "/functions/chain", "", "X-tinyFaaS-Depth: " + depth);
      assertThat(answer.status()).isEqualTo(508);
      assertThat(answer.type()).isEqualTo("too-deep");
    }
    assertThat(heard).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({
    "/functions/secret, 403, not-in-calls",
    "/functions/a, 403, not-in-calls",
    "/functions/nobody, 403, not-in-calls",
    "/functions/no%20name, 403, not-in-calls",
    "/functions/missing, 404, unknown-function",
    "/functions, 404, no-such-path",
    "/functions/, 404, no-such-path",
    "/b, 404, no-such-path",
    "/, 404, no-such-path",
    "/calls/0123, 404, unknown-call",
  })
  void shouldRefuseOtherPaths(String target, int status, String type) {
    Answer answer = ask(target.startsWith("/calls") ? "GET" : "POST", target, "");

    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.header("Content-Type")).contains("application/problem+json");
    assertThat(answer.type()).isEqualTo(type);
    assertThat(heard).isEmpty();
  }

  @Test
  void shouldSayWhichFieldToChange() {
    assertThat(ask("POST", "/functions/secret", "").detail())
        .isEqualTo("The field calls in the specification of a does not name secret: add it there.");
  }

  @Test
  void shouldCallFunctionsForDevices() {
    assertThat(ask("POST", "/functions/lock", "").status()).isEqualTo(203);
  }

  @Test
  void shouldKeepACall() {
    Answer accepted =
        ask("POST", "/functions/chain/x", "hi", "Prefer: respond-async", "X-tinyFaaS-Depth: 2");

    assertThat(accepted.status()).isEqualTo(202);
    String call = accepted.header("Location").orElseThrow();
    eventually()
        .untilAsserted(
            () ->
                assertThat(new JsonObject(ask("GET", call, "").body()).getString("state"))
                    .isEqualTo("done"));
    assertThat(ask("GET", call + "/result", "").body()).isEqualTo("got hi");
    assertThat(heard.getFirst())
        .contains(
            "x-tinyfaas-call: ",
            "x-tinyfaas-caller: a",
            "x-tinyfaas-protocol: function",
            "x-tinyfaas-depth: 3");
    assertThat(ask("DELETE", call, "").status()).isEqualTo(204);
    assertThat(ask("GET", call, "").status()).isEqualTo(404);
  }

  @Test
  void shouldKeepWhatTheCalledFunctionWantsKept() {
    assertThat(ask("POST", "/functions/kept", "").status()).isEqualTo(202);
    assertThat(ask("GET", "/functions/kept", "").status()).isEqualTo(203);
  }

  @Test
  void shouldNotCallBackWhatItMayNotCall() {
    for (String to : List.of("secret", "mqtt:shed/alarm", "http://192.0.2.1/", "b, secret")) {
      Answer answer =
          ask("POST", "/functions/b", "", "Prefer: respond-async", "X-tinyFaaS-Callback: " + to);
      assertThat(answer.status()).isEqualTo(403);
      assertThat(answer.type()).isEqualTo("not-in-calls");
    }
    assertThat(
            ask("POST", "/functions/b", "", "Prefer: respond-async", "X-tinyFaaS-Callback: chain")
                .status())
        .isEqualTo(202);
  }

  @Test
  void shouldTellCallersApartThatNameRequestsAlike() throws Exception {
    String key = "Idempotency-Key: one";
    Answer first = ask("POST", "/functions/b", "1", "Prefer: respond-async", key);
    Answer again = ask("POST", "/functions/b", "1", "Prefer: respond-async", key);
    Answer another = ask("POST", "/functions/b", "2", "Prefer: respond-async", key);
    HttpResponse<String> outside =
        outside("/b", "Prefer", "respond-async", "Idempotency-Key", "one");

    assertThat(again.header("Location")).isEqualTo(first.header("Location"));
    assertThat(another.status()).isEqualTo(422);
    assertThat(outside.statusCode()).isEqualTo(202);
  }

  @Test
  void shouldRefuseBodiesThatAreTooLarge() throws IOException {
    try (FunctionSocketClient connection = new FunctionSocketClient(socket)) {
      connection.send("POST /functions/b HTTP/1.1\r\nHost: box\r\nContent-Length: 70000\r\n\r\n");
      assertThat(connection.answer().status()).isEqualTo(413);
    }
  }

  @Test
  void shouldRefuseWhatIsNotHttp() throws IOException {
    try (FunctionSocketClient connection = new FunctionSocketClient(socket)) {
      connection.send("nonsense\r\n\r\n");
      assertThat(connection.answer().status()).isEqualTo(400);
    }
    try (FunctionSocketClient connection = new FunctionSocketClient(socket)) {
      connection.send("GET /functions/b HTTP/1.1\r\n\r\n");
      assertThat(connection.answer().status()).isEqualTo(400);
    }
  }

  @Test
  void shouldEndALoop() throws Exception {
    HttpResponse<String> answer = outside("/loop/again");

    assertThat(answer.statusCode()).isEqualTo(508);
    assertThat(heard).hasSize(9); // from outside, and eight times by itself
  }

  @Test
  void shouldEndALoopOfCalls() throws Exception {
    outside("/loop/again?async");

    eventually().untilAsserted(() -> assertThat(heard).hasSize(9));
    eventually().untilAsserted(() -> assertThat(loop.lastStatus()).isEqualTo(508));
  }

  @Test
  void shouldEndALoopOfFunctionsThatHandNothingOn() throws Exception {
    assertThat(outside("/loop/again?silent").statusCode()).isEqualTo(508);
    assertThat(heard).hasSize(9);
    heard.clear();
    outside("/loop/again?silent&first");
    eventually().untilAsserted(() -> assertThat(heard).hasSize(9));
    eventually().untilAsserted(() -> assertThat(loop.lastStatus()).isEqualTo(508));
  }

  @Test
  void shouldNotHangWhereEverybodyWaitsForOneAnother() throws Exception {
    List<CompletableFuture<HttpResponse<String>>> all = atOnce(7, "/loop/again");

    for (CompletableFuture<HttpResponse<String>> each : all) {
      assertThat(each.get().statusCode()).isEqualTo(508);
    }
    assertThat(heard).hasSize(7 * 9);
  }

  private List<CompletableFuture<HttpResponse<String>>> atOnce(int count, String target) {
    HttpRequest request =
        HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + system.process().httpPort() + target))
            .POST(BodyPublishers.ofString("x"))
            .build();
    return IntStream.range(0, count)
        .mapToObj(i -> client.sendAsync(request, BodyHandlers.ofString()))
        .toList();
  }

  @Test
  void shouldAnswerAHundredAtOnce() throws Exception {
    for (CompletableFuture<HttpResponse<String>> each : atOnce(100, "/a/hop")) {
      assertThat(each.get().statusCode()).isEqualTo(203);
      assertThat(each.get().body()).isEqualTo("got x");
    }
  }

  @Test
  void shouldCloseTheConnectionThatHasWaitedLongestWhereThereAreTooMany() throws IOException {
    List<FunctionSocketClient> waiting = new ArrayList<>();
    try {
      for (int i = 0; i < 65; i++) {
        waiting.add(new FunctionSocketClient(socket));
      }
      assertThat(waiting.getFirst().readAll()).isEmpty();
      assertThat(waiting.getLast().send("POST", "/functions/b", "").answer().status())
          .isEqualTo(203);
    } finally {
      for (FunctionSocketClient each : waiting) {
        each.close();
      }
    }
  }

  @Test
  void shouldCountThemByTheirProtocol() {
    ask("POST", "/functions/b", "");
    ask("POST", "/functions/secret", "");

    assertThat(system.process().get("/q/metrics").body())
        .containsPattern("tinyfaas_invocations_total\\{function=\"b\".*protocol=\"function\"")
        .contains("tinyfaas_function_sockets 3.0");
  }

  @Test
  void shouldGoOnWhereACallerLeaves() throws IOException {
    try (FunctionSocketClient connection = new FunctionSocketClient(socket)) {
      connection.send("POST", "/functions/b/held", "");
      held.await(1);
    }
    held.release();
    assertThat(ask("POST", "/functions/b", "").status()).isEqualTo(203);
  }
}
