package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.everyItem;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.matchesPattern;

import io.restassured.response.Response;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A function's life through the REST API, as devices see it. */
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

  @Tag("smoke")
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

  /** Of 30 MB, nothing would be left of what went wrong a day ago. */
  @Test
  void shouldKeepTheBrokersLogForWhatIsWrong() {
    functions.deploy("logged", Code.answering("logged"));

    assertThat(SYSTEM.compose("logs", "--no-color", "broker"))
        .noneMatch(line -> line.contains("Saving in-memory database"));
  }

  @Test
  void shouldServeEachNewVersionOnceItsDeployIsAnswered() {
    functions.put("next", Code.answering("1")).then().statusCode(201);
    for (int version = 2; version <= 5; version++) {
      Response answer = functions.put("next", Code.answering(Integer.toString(version)));

      assertAnswer("next", Integer.toString(version));
      answer.then().statusCode(200).body("version", is(version));
    }
    eventually().untilAsserted(() -> assertThat(SYSTEM.handlers("next")).hasSize(1));
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
  void shouldKeepWhatADeploymentOfNewCodeDoesNotName() {
    functions.deploy(
        "kept-spec",
        Map.of("runtime", "node", "handlers", 2, "env", "GREETING=hello", "memory", "64M"),
        Code.answering("1"));

    functions
        .put("kept-spec", Map.of(), Code.telling("GREETING"))
        .then()
        .statusCode(200)
        .body("version", is(2))
        .body("handlers.health", contains("healthy", "healthy"))
        .body("spec.memory", equalTo("64M"));
    assertAnswer("kept-spec", "hello");
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
                    + "\"memory\":\"64M\",\"cpus\":0.5,\"timeout\":\"25s\",\"labels\":{\"team\":\"edge\"}}"),
            "application/json")
        .multiPart("archive", "function.zip", Code.telling("GREETING"), "application/zip")
        .put("/functions/form")
        .then()
        .statusCode(201)
        .body("spec.memory", equalTo("64M"))
        .body("spec.cpus", is(0.5f))
        .body("spec.timeout", equalTo("25s"))
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
    eventually().untilAsserted(() -> assertThat(SYSTEM.handlers("scaled")).hasSize(1));
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
        .body("spec.environment", equalTo(Map.of("OTHER", "***")));
    assertAnswer("changed", "undefined");
    SYSTEM
        .rest()
        .get("/functions/changed?environment=values")
        .then()
        .body("spec.environment", equalTo(Map.of("OTHER", "x")));
  }

  @Test
  void shouldChangeTheTimeoutWithoutRestartingAHandler() {
    // Longer than a device waits: who is told of a time-out is told of the new one.
    functions.deploy(
        "timely",
        Map.of("runtime", "nodejs", "timeout", "15m"),
        Code.node(
            "module.exports = (req, res) => {"
                + " if (req.body !== 'never') setTimeout(() => res.send('late'), 600); };"));
    List<String> handlers = functions.handlers("timely");
    assertThat(device.get("timely").getCode()).isEqualTo(ResponseCode.CONTENT);

    functions.patch("timely", "{\"timeout\":\"200ms\"}").then().statusCode(200);

    assertThat(device.post("timely", utf8("never")).getCode())
        .isEqualTo(ResponseCode.GATEWAY_TIMEOUT);
    assertThat(functions.handlers("timely")).isEqualTo(handlers);
  }

  @Test
  void shouldRollBackFurtherEachTime() {
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
    SYSTEM.rest().post("/functions/rolled/rollback").then().statusCode(200).body("version", is(1));
    assertAnswer("rolled", "1");
    Problems.assertProblem(
        SYSTEM.rest().post("/functions/rolled/rollback"),
        404,
        "unknown-version",
        "Nothing is kept that was deployed before version 1 of rolled",
        "rollback?version=N");
    SYSTEM
        .rest()
        .post("/functions/rolled/rollback?version=3")
        .then()
        .statusCode(200)
        .body("version", is(3));
    assertAnswer("rolled", "3");
    Problems.assertProblem(
        SYSTEM.rest().post("/functions/rolled/rollback?version=9"),
        404,
        "unknown-version",
        "There is no version 9 of rolled");
    functions.deploy("rolled", Code.answering("4"));
    functions.get("rolled").then().body("version", is(4));
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

  @Test
  void shouldServeTheLastOfTwoDeploysAtOnce() throws Exception {
    try (ExecutorService both = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Response>> answers =
          both.invokeAll(
              Stream.of("1", "2", "3")
                  .map(n -> (Callable<Response>) () -> functions.put("twice", Code.answering(n)))
                  .toList());

      assertThat(answers).extracting(a -> a.get().statusCode()).containsOnlyOnce(201);
      assertThat(answers)
          .extracting(a -> a.get().jsonPath().getInt("version"))
          .containsExactlyInAnyOrder(1, 2, 3);
      int last = 0;
      while (answers.get(last).get().jsonPath().getInt("version") != 3) {
        last++;
      }
      assertThat(device.get("twice").getResponseText()).isEqualTo(Integer.toString(last + 1));
    }
    eventually().untilAsserted(() -> assertThat(SYSTEM.handlers("twice")).hasSize(1));
  }
}
