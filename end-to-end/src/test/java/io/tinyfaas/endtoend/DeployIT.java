package io.tinyfaas.endtoend;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.everyItem;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.hasItems;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.matchesPattern;

import io.restassured.response.Response;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A function's life through the REST API, as devices see it. */
@Timeout(60)
class DeployIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Device device = new Device(SYSTEM);

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private void assertAnswer(String function, String text) {
    CoapResponse response = device.get(function);
    assertThat(response).as("an answer of " + function).isNotNull();
    assertThat(response.getCode()).isEqualTo(ResponseCode.CONTENT);
    assertThat(response.getResponseText()).isEqualTo(text);
  }

  @Test
  void shouldServeANewFunctionOnceTheDeployIsAnswered() {
    Instant before = Instant.now().minusSeconds(1);

    Response answer =
        functions.put("new", Map.of("runtime", "nodejs", "handlers", 2), Code.answering("1"));

    assertAnswer("new", "1");
    answer
        .then()
        .statusCode(201)
        .header("Location", "http://127.0.0.1:" + SYSTEM.managerPort() + "/functions/new")
        .contentType("application/json")
        .body("name", equalTo("new"))
        .body("version", is(1))
        .body("digest", matchesPattern("[0-9a-f]{64}"))
        .body("state", equalTo("running"))
        .body("handlers.health", contains("healthy", "healthy"))
        .body("urls.coap", equalTo(SYSTEM.coapUri("new")))
        .body("spec.runtime", equalTo("nodejs"))
        .body("spec.handlers", is(2));
    assertThat(Instant.parse(answer.path("deployedAt"))).isBetween(before, Instant.now());
    assertThat(SYSTEM.handlers("new")).hasSize(2);
  }

  @Test
  void shouldServeEachNewVersionOnceItsDeployIsAnswered() {
    functions.put("next", Code.answering("1")).then().statusCode(201);
    for (int version = 2; version <= 5; version++) {
      Response answer = functions.put("next", Code.answering(Integer.toString(version)));

      assertAnswer("next", Integer.toString(version));
      answer.then().statusCode(200).body("version", is(version));
    }
    await().untilAsserted(() -> assertThat(SYSTEM.handlers("next")).hasSize(1));
  }

  @Test
  void shouldMakeNoNewVersionOfTheSameArchiveAndSpecification() {
    functions.put("same", Code.answering("1")).then().statusCode(201);
    List<String> handlers = functions.handlers("same");

    functions.put("same", Code.answering("1")).then().statusCode(200).body("version", is(1));

    assertThat(functions.handlers("same")).isEqualTo(handlers);
    SYSTEM.rest().get("/functions/same/versions").then().body("version", contains(1));
    assertAnswer("same", "1");
  }

  @Test
  void shouldTakeSpecificationAndArchiveAsAForm() {
    functions.willBe("form");
    SYSTEM
        .rest()
        .multiPart(
            "spec",
            "spec.json",
            utf8(
                "{\"runtime\":\"nodejs\",\"environment\":{\"GREETING\":\"grüß Gott = $X\"},"
                    + "\"memory\":\"64M\",\"cpus\":0.5,\"timeout\":\"2s\",\"labels\":{\"team\":\"edge\"}}"),
            "application/json")
        .multiPart("archive", "function.zip", Code.telling("GREETING"), "application/zip")
        .put("/functions/form")
        .then()
        .statusCode(201)
        .body("spec.memory", equalTo("64M"))
        .body("spec.cpus", is(0.5f))
        .body("spec.timeout", equalTo("2s"))
        .body("spec.networkAccess", is(false))
        .body("spec.labels.team", equalTo("edge"));

    assertAnswer("form", "grüß Gott = $X");
    assertThat(
            SYSTEM.docker(
                "inspect",
                "--format",
                "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.NetworkMode}}",
                SYSTEM.handlers("form").getFirst()))
        .containsExactly(64 * 1024 * 1024 + " 500000000 none");
  }

  @Test
  void shouldScaleWithoutUploadingAgain() {
    functions.deploy("scaled", Code.answering("1"));
    String first = functions.handlers("scaled").getFirst();

    functions
        .patch("scaled", "{\"handlers\": 3}")
        .then()
        .statusCode(200)
        .body("version", is(2))
        .body("handlers.health", contains("healthy", "healthy", "healthy"))
        .body("handlers.id", hasItem(first));

    functions.patch("scaled", "{\"handlers\": 1}").then().statusCode(200).body("version", is(3));
    assertAnswer("scaled", "1");
    await().untilAsserted(() -> assertThat(SYSTEM.handlers("scaled")).hasSize(1));
  }

  @Test
  void shouldChangeTheEnvironmentWithoutUploadingAgain() {
    functions.deploy(
        "changed",
        Map.of("runtime", "nodejs", "env", List.of("GREETING=hello", "OTHER=x")),
        Code.telling("GREETING"));
    assertAnswer("changed", "hello");

    functions.patch("changed", "{\"environment\":{\"GREETING\":\"goodbye\"}}");

    assertAnswer("changed", "goodbye");
    functions
        .patch("changed", "{\"environment\":{\"GREETING\":null}}")
        .then()
        .statusCode(200)
        .body("spec.environment", equalTo(Map.of("OTHER", "x")));
    assertAnswer("changed", "undefined");
  }

  @Test
  void shouldChangeTheTimeoutWithoutRestartingAHandler() {
    functions.deploy("timely", Code.slow(600));
    List<String> handlers = functions.handlers("timely");
    assertThat(device.get("timely").getCode()).isEqualTo(ResponseCode.CONTENT);

    functions.patch("timely", "{\"timeout\":\"200ms\"}").then().statusCode(200);

    assertThat(device.get("timely").getCode()).isEqualTo(ResponseCode.GATEWAY_TIMEOUT);
    assertThat(functions.handlers("timely")).isEqualTo(handlers);
  }

  @Test
  void shouldRollBackAndForth() {
    for (int version = 1; version <= 3; version++) {
      functions.deploy("rolled", Code.answering(Integer.toString(version)));
    }
    SYSTEM
        .rest()
        .get("/functions/rolled/versions")
        .then()
        .statusCode(200)
        .body("version", contains(1, 2, 3))
        .body("active", contains(false, false, true))
        .body("digest", everyItem(matchesPattern("[0-9a-f]{64}")));

    SYSTEM.rest().post("/functions/rolled/rollback").then().statusCode(200).body("version", is(2));
    assertAnswer("rolled", "2");
    SYSTEM.rest().post("/functions/rolled/rollback").then().statusCode(200).body("version", is(3));
    assertAnswer("rolled", "3");
    SYSTEM
        .rest()
        .post("/functions/rolled/rollback?version=1")
        .then()
        .statusCode(200)
        .body("version", is(1));
    assertAnswer("rolled", "1");
    Problems.assertProblem(
        SYSTEM.rest().post("/functions/rolled/rollback?version=9"),
        404,
        "unknown-version",
        "There is no version 9 of rolled");
    functions.deploy("rolled", Code.answering("4"));
    functions.get("rolled").then().body("version", is(4));
  }

  @Test
  void shouldDeleteAFunctionWithoutATrace() {
    functions.deploy("deleted", Map.of("runtime", "nodejs", "handlers", 2), Code.answering("1"));
    functions.deploy("deleted", Map.of("runtime", "nodejs", "handlers", 2), Code.answering("2"));
    assertThat(functions.traces("deleted")).isNotEmpty();

    functions.delete("deleted").then().statusCode(204).body(equalTo(""));

    assertThat(device.get("deleted").getCode()).isEqualTo(ResponseCode.NOT_FOUND);
    assertThat(functions.traces("deleted")).isEmpty();
    Problems.assertProblem(
        functions.get("deleted"), 404, "unknown-function", "There is no function deleted");
    Problems.assertProblem(
        functions.delete("deleted"), 404, "unknown-function", "There is no function deleted");
    SYSTEM.rest().get("/functions").then().body("name.findAll { it == 'deleted' }", hasSize(0));
  }

  @Test
  void shouldLetAnInvocationEndBeforeItsFunctionIsDeleted() throws Exception {
    functions.deploy(
        "finished",
        Installation.node(
            "module.exports = (req, res) => { console.log('begun');"
                + " setTimeout(() => res.send('done'), 1500); };"));
    CompletableFuture<CoapResponse> answer =
        CompletableFuture.supplyAsync(() -> device.get("finished"));
    await()
        .untilAsserted(
            () ->
                assertThat(SYSTEM.rest().get("/functions/finished/logs").asString())
                    .contains("begun"));

    functions.delete("finished").then().statusCode(204);

    assertThat(answer.get(5, TimeUnit.SECONDS).getResponseText()).isEqualTo("done");
  }

  @Test
  void shouldListFunctionsWithTheirState() {
    functions.deploy("listed-b", Code.answering("b"));
    functions.deploy("listed-a", Code.answering("a"));

    SYSTEM
        .rest()
        .get("/functions")
        .then()
        .statusCode(200)
        .body("name", hasItems("listed-a", "listed-b"))
        .body("find { it.name == 'listed-a' }.state", equalTo("running"))
        .body("find { it.name == 'listed-a' }.handlers.health", contains("healthy"));
    functions
        .get("listed-a")
        .then()
        .statusCode(200)
        .body("name", equalTo("listed-a"))
        .body("version", is(1));
  }

  @Test
  void shouldShowTheLastLinesThatWerePrinted() {
    functions.deploy("printing", Code.printing());
    for (String line : List.of("one", "two", "three", "Grüße, 世界")) {
      device.post("printing", utf8(line));
    }
    String handler = functions.handlers("printing").getFirst();
    String start = "function=printing handler=" + handler + " ";

    await()
        .untilAsserted(
            () ->
                assertThat(
                        SYSTEM
                            .rest()
                            .get("/functions/printing/logs?tail=2")
                            .then()
                            .statusCode(200)
                            .extract()
                            .asString()
                            .lines())
                    .satisfiesExactly(
                        line -> assertThat(line).startsWith(start).endsWith("Z three"),
                        line -> assertThat(line).startsWith(start).endsWith("Z Grüße, 世界")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"many", "-1", "10001"})
  void shouldBoundHowManyLinesAreShown(String tail) {
    functions.deploy("bounded", Code.printing());

    Problems.assertProblem(
        SYSTEM.rest().queryParam("tail", tail).get("/functions/bounded/logs"),
        400,
        "invalid-request",
        "tail is a number from 0 to 10000");
  }

  @Test
  void shouldShowLinesAsTheyArePrintedAlsoByANewVersion() throws Exception {
    functions.deploy("followed", Code.printing());
    HttpRequest request =
        HttpRequest.newBuilder(
                URI.create(
                    "http://127.0.0.1:"
                        + SYSTEM.managerPort()
                        + "/functions/followed/logs?tail=0&follow=true"))
            .header("Authorization", "Bearer " + SYSTEM.token())
            .build();
    try (HttpClient client = HttpClient.newHttpClient()) {
      InputStream stream = client.send(request, BodyHandlers.ofInputStream()).body();
      BlockingQueue<String> lines = new LinkedBlockingQueue<>();
      Thread.startVirtualThread(() -> read(stream, lines));

      // The first may be printed before the follower is there.
      await()
          .untilAsserted(
              () -> {
                device.post("followed", utf8("ready"));
                assertThat(lines.poll(300, TimeUnit.MILLISECONDS)).endsWith(" ready");
              });
      lines.clear();
      for (String text : List.of("first", "second")) {
        device.post("followed", utf8(text));
        assertThat(lines.poll(2, TimeUnit.SECONDS)).endsWith(" " + text);
      }
      functions.patch("followed", "{\"environment\":{\"A\":\"new\"}}").then().statusCode(200);
      device.post("followed", utf8("third"));
      assertThat(lines.poll(5, TimeUnit.SECONDS))
          .contains("handler=" + functions.handlers("followed").getLast())
          .endsWith(" third");
      stream.close();
      client.shutdownNow();
    }
  }

  private static void read(InputStream stream, BlockingQueue<String> lines) {
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.add(line);
      }
    } catch (IOException e) {
      // The test has left.
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Bearer", "Bearer wrong-token-wrong-token", "Basic YTpi"})
  void shouldAskForTheToken(String authorization) {
    Response answer =
        given()
            .header("Authorization", authorization)
            .contentType("application/zip")
            .body(Code.answering("1"))
            .put(
                "http://127.0.0.1:" + SYSTEM.managerPort() + "/functions/uninvited?runtime=nodejs");

    Problems.assertProblem(answer, 401, "unauthorized", "TINYFAAS_TOKEN");
    assertThat(answer.header("WWW-Authenticate")).startsWith("Bearer");
    functions.get("uninvited").then().statusCode(404);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x",
        "7",
        "Sieve",
        "SIEVE2",
        "light-bulb-7",
        "a--b",
        "a2345678901234567890123456789012345678901234567890123456789-123",
        "A23456789012345678901234567890123456789012345678901234567890123"
      })
  void shouldTakeEveryKindOfName(String name) {
    functions.put(name, Code.answering(name)).then().statusCode(201).body("name", equalTo(name));

    assertAnswer(name, name);
  }

  @Test
  void shouldTellNamesApartByCase() {
    functions.deploy("Light", Code.answering("upper"));
    functions.deploy("light", Code.answering("lower"));

    assertAnswer("Light", "upper");
    assertAnswer("light", "lower");
    functions.delete("Light").then().statusCode(204);
    assertAnswer("light", "lower");
  }

  @Test
  void shouldServeItsOwnDescription() {
    var open = given().baseUri("http://127.0.0.1").port(SYSTEM.managerPort());
    open.get("/q/openapi")
        .then()
        .statusCode(200)
        .body(containsString("/functions/{name}/rollback"))
        .body(containsString("application/merge-patch+json"));
    open.get("/q/swagger-ui/")
        .then()
        .statusCode(200)
        .contentType("text/html")
        .body(containsString("/q/openapi"));
  }

  static Stream<Arguments> refusedRequests() {
    byte[] zip = Code.answering("1");
    return Stream.of(
        refused(404, "an unknown path", () -> SYSTEM.rest().get("/nothing/here")),
        refused(404, "an unknown function", () -> SYSTEM.rest().get("/functions/nobody")),
        refused(404, "versions", () -> SYSTEM.rest().get("/functions/nobody/versions")),
        refused(404, "logs", () -> SYSTEM.rest().get("/functions/nobody/logs?follow=true")),
        refused(404, "rollback", () -> SYSTEM.rest().post("/functions/nobody/rollback")),
        refused(404, "delete", () -> SYSTEM.rest().delete("/functions/nobody")),
        refused(
            404,
            "patch",
            () -> SYSTEM.rest().contentType("application/json").body("{}").patch("/functions/no")),
        refused(405, "another method", () -> SYSTEM.rest().post("/functions/nobody")),
        refused(
            415,
            "no media type of ours",
            () -> SYSTEM.rest().contentType("text/plain").body(zip).put("/functions/nobody")),
        refused(
            406, "no JSON wanted", () -> SYSTEM.rest().accept("application/pdf").get("/functions")),
        refused(400, "a name", () -> SYSTEM.rest().get("/functions/no_body")),
        refused(
            400,
            "an incomplete form",
            () -> SYSTEM.rest().multiPart("spec", "{}").put("/functions/nobody")),
        refused(
            400,
            "a broken form",
            () ->
                SYSTEM
                    .rest()
                    .header("Content-Type", "multipart/form-data; boundary=x")
                    .body(new byte[] {1, 2, 3})
                    .put("/functions/nobody")));
  }

  private static Arguments refused(int status, String what, Supplier<Response> request) {
    return Arguments.of(status, Named.of(what, request));
  }

  @ParameterizedTest
  @MethodSource("refusedRequests")
  void shouldExplainARefusal(int status, Supplier<Response> request) {
    Response answer = request.get();

    Problems.assertProblem(answer);
    assertThat(answer.statusCode()).isEqualTo(status);
  }

  @Test
  void shouldKeepTenVersions() {
    functions.deploy("kept", Code.answering("x"));
    for (int handlers = 2; handlers <= 12; handlers++) {
      functions
          .patch("kept", "{\"labels\":{\"n\":\"" + handlers + "\"}}")
          .then()
          .statusCode(200)
          .body("version", is(handlers));
    }

    SYSTEM
        .rest()
        .get("/functions/kept/versions")
        .then()
        .body("version", equalTo(Stream.iterate(3, n -> n + 1).limit(10).toList()));
  }
}
