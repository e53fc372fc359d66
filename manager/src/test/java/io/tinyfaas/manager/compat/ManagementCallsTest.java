package io.tinyfaas.manager.compat;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.api.RestCalls;
import io.tinyfaas.manager.api.WithoutEngine;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.spec.FunctionSpec;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** As scripts call: curl --data says that JSON is a form. */
@QuarkusTest
@TestProfile(WithoutEngine.class)
class ManagementCallsTest extends RestCalls {

  private static RequestSpecification script() {
    return call().config(asText(FORM)).contentType(FORM);
  }

  private static ValidatableResponse post(String path, String body) {
    return script().body(body).post(path).then();
  }

  private static String base64(byte[] zip) {
    return Base64.getEncoder().encodeToString(zip);
  }

  private static String upload(String name, String more) {
    return """
    {"name": "%s", "env": "nodejs", "threads": 1, "zip": "%s"%s}\
    """
        .formatted(name, base64(zip(name)), more);
  }

  private FunctionSpec spec(String name) {
    return store.active(new FunctionName(name)).orElseThrow().spec();
  }

  @Test
  void shouldDeployAnUpload() {
    String answer =
        post(
                "/upload",
                """
                {"name": "sieve", "env": "python3", "threads": 2, "zip": "%s",
                 "envs": ["A=b", "C=d=e", "EMPTY=", "none"]}\
                """
                    .formatted(base64(zip("x"))))
            .statusCode(200)
            .extract()
            .asString();

    assertThat(answer.lines()).allMatch(line -> line.matches("(coap|http|grpc)://:\\d+/sieve"));
    assertThat(answer.lines()).contains("coap://:5683/sieve");
    assertThat(spec("sieve").runtime()).isEqualTo("python3");
    assertThat(spec("sieve").handlers()).isEqualTo(2);
    assertThat(spec("sieve").networkAccess()).isTrue();
    assertThat(spec("sieve").environment()).isEqualTo(Map.of("A", "b", "C", "d=e", "EMPTY", ""));
  }

  @Test
  void shouldReadJsonAsGoDoes() {
    post(
            "/upload",
            """
            {"zip": "%s", "later": {"a": [1, {"zip": null}]}, "ENVS": null, "Name": "sieve", "subfolder_path": null,
             "env": "go", "env": "nodejs"} and what follows is not read\
            """
                .formatted(base64(zip("x"))))
        .statusCode(200);

    assertThat(spec("sieve").runtime()).isEqualTo("nodejs");
    assertThat(spec("sieve").handlers()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "application/json", "text/plain; charset=utf-8", "nonsense"})
  void shouldNotLookAtTheContentType(String type) throws Exception {
    var request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + RestAssured.port + "/upload"))
            .header("Authorization", "Bearer " + TOKEN)
            .POST(HttpRequest.BodyPublishers.ofString(upload("sieve", "")));
    if (!type.isEmpty()) {
      request.header("Content-Type", type);
    }
    try (var client = HttpClient.newHttpClient()) {
      assertThat(client.send(request.build(), HttpResponse.BodyHandlers.ofString()).statusCode())
          .isEqualTo(200);
    }
  }

  @Test
  void shouldKeepWhatAnUploadCannotSay() {
    post("/upload", upload("sieve", ", \"envs\": [\"OLD=1\"]")).statusCode(200);
    script()
        .contentType("application/json")
        .body("{\"memory\": \"64M\", \"networkAccess\": false}")
        .patch("/functions/sieve")
        .then()
        .statusCode(200);

    post("/upload", upload("sieve", ", \"envs\": [\"NEW=1\"]")).statusCode(200);

    assertThat(spec("sieve").memoryBytes()).isEqualTo(64L << 20);
    assertThat(spec("sieve").networkAccess()).isFalse();
    assertThat(spec("sieve").environment()).isEqualTo(Map.of("NEW", "1"));
  }

  @Test
  void shouldKeepAnEntryAsLongAsTheRuntime() {
    post("/upload", upload("sieve", "")).statusCode(200);
    script()
        .contentType("application/json")
        .body("{\"entry\": \"main.js\"}")
        .patch("/functions/sieve")
        .then()
        .statusCode(200);

    post("/upload", upload("sieve", "")).statusCode(200);
    assertThat(spec("sieve").entry()).contains("main.js");
    post("/upload", upload("sieve", ", \"env\": \"python3\"")).statusCode(200);
    assertThat(spec("sieve").entry()).isEmpty();
  }

  @Test
  void shouldTakeAnArchiveOfTheLargestSizeAsText() {
    String most = base64(zip(noise((1 << 20) - 1_000)));
    post("/upload", "{\"name\": \"big\", \"env\": \"nodejs\", \"zip\": \"" + most + "\"}")
        .statusCode(200);

    String more = base64(zip(noise((1 << 20) + 1_000)));
    post("/upload", "{\"name\": \"big\", \"env\": \"nodejs\", \"zip\": \"" + more + "\"}")
        .statusCode(500)
        .body("type", equalTo("urn:tinyfaas:problem:archive-too-large"));
  }

  @Test
  void shouldListDeleteAndWipe() {
    for (String name : new String[] {"one", "two", "three"}) {
      post("/upload", upload(name, "")).statusCode(200);
    }
    assertThat(script().get("/list").then().statusCode(200).extract().asString().lines())
        .containsExactlyInAnyOrder("one", "two", "three");

    post("/delete", "{\"name\": \"two\"}").statusCode(200).body(equalTo(""));
    assertThat(script().get("/list").asString().lines()).containsExactlyInAnyOrder("one", "three");

    post("/wipe", "").statusCode(200).body(equalTo(""));
    script().get("/list").then().statusCode(200).body(equalTo(""));
    post("/wipe", "any body").statusCode(200);
  }

  @ParameterizedTest
  @CsvSource({
    "GET,/upload",
    "PUT,/upload",
    "GET,/uploadURL",
    "GET,/delete",
    "DELETE,/delete",
    "POST,/list",
    "GET,/wipe",
    "POST,/logs",
    "PATCH,/list"
  })
  void shouldAnswerAWrongMethodWith400(String method, String path) {
    script()
        .request(method, path)
        .then()
        .statusCode(400)
        .contentType("application/problem+json")
        .body("detail", containsString(path + " is called with "));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "x",
        "[]",
        "\"name\"",
        "{\"name\": \"sieve\"",
        "{\"name\": 7}",
        "{\"threads\": \"2\"}",
        "{\"threads\": 1.5}",
        "{\"envs\": \"A=b\"}",
        "{\"envs\": [7]}",
        "{\"zip\": [1]}",
        "{\"zip\": \"UEsD",
        "{name: 1}"
      })
  void shouldAnswerUnreadableJsonWith400(String body) {
    for (String path : new String[] {"/upload", "/uploadURL", "/delete"}) {
      post(path, body)
          .statusCode(400)
          .contentType("application/problem+json")
          .body("type", equalTo("urn:tinyfaas:problem:invalid-request"))
          .body("status", equalTo(400));
    }
  }

  @Test
  void shouldBoundWhatItReads() {
    post("/upload", "{\"name\": \"" + "x".repeat(100_000) + "\"}").statusCode(400);
    post("/upload", "{\"later\": " + "[".repeat(100) + "]".repeat(100) + "}").statusCode(400);
    post("/upload", "{\"envs\": [" + "\"A=1\",".repeat(2_000) + "\"A=1\"]}").statusCode(400);
    post("/delete", "{\"later\": \"" + "x".repeat(500_000) + "\", \"name\": \"nobody\"}")
        .statusCode(500)
        .body("type", equalTo("urn:tinyfaas:problem:unknown-function"));
  }

  @Test
  void shouldAnswerEveryOtherFailureWith500AndSayWhatItIs() {
    post("/upload", "{}").statusCode(500).body("field", equalTo("name"));
    post("/upload", upload("no spaces", "")).statusCode(500).body("field", equalTo("name"));
    post("/upload", "{\"name\": \"sieve\", \"env\": \"nodejs\"}")
        .statusCode(500)
        .body("field", equalTo("zip"))
        .body("status", equalTo(500));
    post("/upload", "{\"name\": \"sieve\", \"env\": \"nodejs\", \"zip\": \"!!!!\"}")
        .statusCode(500)
        .body("detail", containsString("base64"));
    post("/upload", "{\"name\": \"sieve\", \"env\": \"nodejs\", \"zip\": \"UEsDBA==\"}")
        .statusCode(500)
        .body("type", equalTo("urn:tinyfaas:problem:invalid-archive"));
    post("/upload", upload("sieve", ", \"threads\": 1000"))
        .statusCode(500)
        .body("field", equalTo("handlers"));
    post("/upload", upload("sieve", ", \"envs\": [\"A-B=1\"]")).statusCode(500);
    post("/delete", "{\"name\": \"nobody\"}")
        .statusCode(500)
        .body("type", equalTo("urn:tinyfaas:problem:unknown-function"));
    deployer.failNextWith(
        ProblemException.of(ProblemType.START_FAILED, "The function does not start."));
    post("/upload", upload("sieve", ""))
        .statusCode(500)
        .body("detail", equalTo("The function does not start."));
    assertThat(store.functions()).isEmpty();
  }

  @Test
  void shouldNotFetchFromThisBox() {
    post(
            "/uploadURL",
            """
            {"name": "sieve", "env": "nodejs", "threads": 1, "url": "http://localhost:%d/q/metrics", "subfolder_path": ""}\
            """
                .formatted(RestAssured.port))
        .statusCode(500)
        .body("type", equalTo("urn:tinyfaas:problem:fetch-failed"))
        .body("detail", containsString("TINYFAAS_FETCH_ALLOW"));
    post("/uploadURL", "{\"name\": \"sieve\", \"env\": \"nodejs\"}")
        .statusCode(500)
        .body("field", equalTo("url"));
  }

  @Test
  void shouldAskForTheTokenAsEveryCallDoes() {
    for (String path : new String[] {"/upload", "/uploadURL", "/delete", "/wipe"}) {
      given().contentType("application/json").body("{}").post(path).then().statusCode(401);
    }
    given().get("/list").then().statusCode(401);
    given().get("/logs").then().statusCode(401);
  }
}
