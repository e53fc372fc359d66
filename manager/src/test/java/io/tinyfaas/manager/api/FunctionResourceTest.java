package io.tinyfaas.manager.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.aMapWithSize;
import static org.hamcrest.Matchers.blankOrNullString;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.endsWith;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.not;

import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.config.EncoderConfig;
import io.restassured.config.RestAssuredConfig;
import io.restassured.http.ContentType;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import io.tinyfaas.manager.deploy.FakeDeployer;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.store.FunctionSpec;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.store.StoreFolder;
import jakarta.inject.Inject;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Method;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
@TestProfile(WithoutEngine.class)
class FunctionResourceTest {

  private static final String TOKEN = "a-token-for-tests-only";
  private static final String FORM = "application/x-www-form-urlencoded";
  private static final String MERGE_PATCH = "application/merge-patch+json";

  @Inject FakeDeployer deployer;
  @Inject FunctionStore store;
  @Inject StoreFolder folder;

  @TestHTTPResource URI server;

  @AfterEach
  void removeFunctionsAndUploads() {
    store.functions().forEach(store::remove);
    Awaitility.await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(() -> assertThat(folder.uploads()).isEmptyDirectory());
  }

  private static RequestSpecification call() {
    return given().header("Authorization", "Bearer " + TOKEN);
  }

  private static RestAssuredConfig asText(String mediaType) {
    return RestAssuredConfig.config()
        .encoderConfig(
            EncoderConfig.encoderConfig().encodeContentTypeAs(mediaType, ContentType.TEXT));
  }

  private static byte[] zip(String content) {
    return zip(content.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] zip(byte[] content) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("index.js"));
      zip.write(content);
      zip.closeEntry();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return bytes.toByteArray();
  }

  private static byte[] noise(int bytes) {
    byte[] noise = new byte[bytes];
    new Random(1).nextBytes(noise);
    return noise;
  }

  private static ValidatableResponse deploy(String nameAndQuery) {
    return call()
        .contentType("application/zip")
        .body(zip(nameAndQuery))
        .put("/functions/" + nameAndQuery)
        .then();
  }

  private static void shouldBeProblem(ValidatableResponse response, int status, String type) {
    response
        .statusCode(status)
        .contentType("application/problem+json")
        .body("type", equalTo(type.isEmpty() ? "about:blank" : "urn:tinyfaas:problem:" + type))
        .body("status", equalTo(status))
        .body("title", not(blankOrNullString()))
        .body("detail", not(blankOrNullString()))
        .body("instance", not(blankOrNullString()));
  }

  @Test
  void shouldDeployAZipWithTheSpecificationInTheQuery() {
    deploy(
            "sieve?runtime=nodejs&handlers=2&memory=64M&cpus=0.5&timeout=5s&networkAccess=true"
                + "&env=A=b&env=C=d=e&label=team=edge")
        .statusCode(201)
        .header("Location", endsWith("/functions/sieve"))
        .body("name", equalTo("sieve"))
        .body("version", equalTo(1))
        .body("digest.length()", equalTo(64))
        .body("state", equalTo("running"))
        .body("handlers", hasSize(2))
        .body("handlers[0].health", equalTo("healthy"))
        .body(
            "urls",
            equalTo(
                Map.of(
                    "coap",
                    "coap://localhost/sieve",
                    "http",
                    "http://localhost:8000/sieve",
                    "grpc",
                    "grpc://localhost:9000/sieve")))
        .body("deployedAt", endsWith("Z"))
        .body("spec.runtime", equalTo("nodejs"))
        .body("spec.memory", equalTo("64M"))
        .body("spec.cpus", equalTo(0.5f))
        .body("spec.timeout", equalTo("5s"))
        .body("spec.networkAccess", equalTo(true))
        .body("spec.environment", equalTo(Map.of("A", "b", "C", "d=e")))
        .body("spec.labels", equalTo(Map.of("team", "edge")));
    deploy("sieve?runtime=nodejs").statusCode(200).body("version", equalTo(2));
  }

  @Test
  void shouldDeployAForm() {
    call()
        .multiPart("spec", "{\"runtime\":\"nodejs\",\"handlers\":3}")
        .multiPart("archive", "x.zip", zip("x"), "application/zip")
        .put("/functions/sieve")
        .then()
        .statusCode(201)
        .body("handlers", hasSize(3));
    call()
        .multiPart("spec", "spec.json", "{\"runtime\":\"nodejs\"}".getBytes(), "application/json")
        .multiPart("archive", "x.zip", zip("x"), "application/octet-stream")
        .put("/functions/sieve")
        .then()
        .statusCode(200)
        .body("handlers", hasSize(1));
  }

  @Test
  void shouldRefuseAFormThatIsNotOne() {
    RequestSpecification noArchive = call().multiPart("spec", "{\"runtime\":\"nodejs\"}");
    shouldBeProblem(noArchive.put("/functions/sieve").then(), 400, "invalid-request");
    RequestSpecification noSpec = call().multiPart("archive", "x.zip", zip("x"));
    shouldBeProblem(
        noSpec.put("/functions/sieve").then().body("field", equalTo("spec")),
        400,
        "invalid-request");
    RequestSpecification other =
        call()
            .multiPart("spec", "{\"runtime\":\"nodejs\"}")
            .multiPart("archive", "x.zip", zip("x"))
            .multiPart("extra", "x");
    shouldBeProblem(other.put("/functions/sieve").then(), 400, "invalid-request");
    RequestSpecification query =
        call()
            .multiPart("spec", "{\"runtime\":\"nodejs\"}")
            .multiPart("archive", "x.zip", zip("x"));
    shouldBeProblem(query.put("/functions/sieve?handlers=2").then(), 400, "invalid-request");
    RequestSpecification text =
        call().multiPart("spec", "{\"runtime\":\"nodejs\"}").multiPart("archive", "x");
    shouldBeProblem(text.put("/functions/sieve").then(), 400, "invalid-request");
    RequestSpecification json =
        call().multiPart("spec", "{\"runtime\":").multiPart("archive", "x.zip", zip("x"));
    shouldBeProblem(
        json.put("/functions/sieve").then().body("detail", containsString("line 1")),
        400,
        "invalid-request");
    RequestSpecification large =
        call()
            .multiPart("spec", "{\"runtime\":\"" + "x".repeat(600_000) + "\"}")
            .multiPart("archive", "x.zip", zip("x"));
    shouldBeProblem(large.put("/functions/sieve").then(), 413, "");
    RequestSpecification cut =
        call()
            .config(asText("multipart/form-data"))
            .contentType("multipart/form-data; boundary=x")
            .body("--x\r\nContent-Dispo");
    shouldBeProblem(cut.put("/functions/sieve").then(), 400, "invalid-request");
    assertThat(store.functions()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "sieve, runtime",
    "sieve?runtime=nodejs&handlers=0, handlers",
    "sieve?runtime=nodejs&handlers=-1, handlers",
    "sieve?runtime=nodejs&handlers=10000, handlers",
    "sieve?runtime=nodejs&handlers=two, handlers",
    "sieve?runtime=nodejs&memory=lots, memory",
    "sieve?runtime=nodejs&cpus=1e9, cpus",
    "sieve?runtime=nodejs&timeout=1h, timeout",
    "sieve?runtime=nodejs&networkAccess=yes, networkAccess",
    "sieve?runtime=nodejs&unknown=1, unknown",
  })
  void shouldRefuseASpecification(String nameAndQuery, String field) {
    shouldBeProblem(deploy(nameAndQuery).body("field", equalTo(field)), 400, "invalid-spec");
  }

  @ParameterizedTest
  @CsvSource({
    "sieve?runtime=a&runtime=b, runtime",
    "sieve?runtime=a&env=A, env",
    "sieve?runtime=a&env=A=1&env=A=2, env",
    "sieve?runtime=a&environment=A, environment",
    "si_eve?runtime=a, name",
    "-sieve?runtime=a, name",
    "%2e%2e%2fsieve?runtime=a, name",
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg?runtime=a, name",
  })
  void shouldRefuseARequest(String nameAndQuery, String field) {
    shouldBeProblem(
        call()
            .urlEncodingEnabled(false)
            .contentType("application/zip")
            .body(zip("x"))
            .put("/functions/" + nameAndQuery)
            .then()
            .body("field", equalTo(field)),
        400,
        "invalid-request");
  }

  @Test
  void shouldRefuseABadArchive() {
    RequestSpecification notAZip =
        call().contentType("application/zip").body("not a zip".getBytes());
    shouldBeProblem(notAZip.put("/functions/sieve?runtime=nodejs").then(), 400, "invalid-archive");
    RequestSpecification nothing = call().contentType("application/zip");
    shouldBeProblem(nothing.put("/functions/sieve?runtime=nodejs").then(), 400, "invalid-archive");
    assertThat(store.functions()).isEmpty();
  }

  @Test
  void shouldRefuseALargeArchive() {
    for (int size : new int[] {1_100_000, 5_000_000}) {
      RequestSpecification request = call().contentType("application/zip").body(zip(noise(size)));
      shouldBeProblem(
          request.put("/functions/sieve?runtime=nodejs").then(), 413, "archive-too-large");
    }
    RequestSpecification form =
        call()
            .multiPart("spec", "{\"runtime\":\"nodejs\"}")
            .multiPart("archive", "x.zip", zip(noise(1_100_000)));
    shouldBeProblem(form.put("/functions/sieve").then(), 413, "archive-too-large");
  }

  @Test
  void shouldRefuseALargeChunkedBody() throws IOException {
    String head =
        "PUT /functions/sieve?runtime=nodejs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
            + TOKEN
            + "\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n";
    assertThat(sendChunks(head.formatted("application/zip"), "", 5_000_000))
        .startsWith("HTTP/1.1 413")
        .contains("archive-too-large");
    String part =
        "--x\r\nContent-Disposition: form-data; name=\"archive\"; filename=\"x.zip\"\r\n"
            + "Content-Type: application/zip\r\n\r\n";
    assertThat(sendChunks(head.formatted("multipart/form-data; boundary=x"), part, 5_000_000))
        .startsWith("HTTP/1.1 413")
        .contains("archive-too-large");
  }

  /** The answer, however much of the body was taken. */
  private String sendChunks(String head, String start, int bytes) throws IOException {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      OutputStream out = socket.getOutputStream();
      out.write(head.getBytes(StandardCharsets.US_ASCII));
      Thread sender =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      String first = Integer.toHexString(start.length()) + "\r\n" + start + "\r\n";
                      out.write(start.isEmpty() ? new byte[0] : first.getBytes());
                      for (int sent = 0; sent < bytes; sent += 10_000) {
                        out.write(("2710\r\n" + "x".repeat(10_000) + "\r\n").getBytes());
                      }
                      out.write("0\r\n\r\n".getBytes());
                    } catch (IOException e) {
                      // The server need not read it all.
                    }
                  });
      String answer = readAnswer(socket);
      sender.interrupt();
      return answer;
    }
  }

  /** Up to the end of its JSON object or of the connection. */
  private static String readAnswer(Socket socket) throws IOException {
    socket.setSoTimeout(10_000);
    StringBuilder answer = new StringBuilder();
    InputStream in = socket.getInputStream();
    for (int next = in.read(); next >= 0; next = in.read()) {
      answer.append((char) next);
      if (next == '}') {
        break;
      }
    }
    return answer.toString();
  }

  @Test
  void shouldEndASlowUploadAndLeaveNothing() throws IOException {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      socket
          .getOutputStream()
          .write(
              ("PUT /functions/sieve?runtime=nodejs HTTP/1.1\r\nHost: localhost\r\n"
                      + "Authorization: Bearer "
                      + TOKEN
                      + "\r\nContent-Type: application/zip\r\nContent-Length: 1000\r\n\r\nPK")
                  .getBytes(StandardCharsets.US_ASCII));
      socket.setSoTimeout(10_000);
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
    assertThat(store.functions()).isEmpty();
  }

  @Test
  void shouldSayWhichHeaderIsMissing() {
    RequestSpecification form = call().config(asText(FORM)).contentType(FORM).body("PK");
    shouldBeProblem(
        form.put("/functions/sieve?runtime=nodejs")
            .then()
            .body("detail", containsString("Content-Type: application/zip")),
        415,
        "unsupported-media-type");
    RequestSpecification text = call().contentType("text/plain").body("{}");
    shouldBeProblem(
        text.patch("/functions/sieve").then().body("detail", containsString(MERGE_PATCH)),
        415,
        "unsupported-media-type");
    deploy("sieve?runtime=nodejs");
    RequestSpecification rollback =
        call().config(asText(FORM)).contentType(FORM).body("{\"version\":1}");
    shouldBeProblem(
        rollback
            .post("/functions/sieve/rollback")
            .then()
            .body("detail", containsString("application/json")),
        415,
        "unsupported-media-type");
  }

  @Test
  void shouldListFunctions() {
    call().get("/functions").then().statusCode(200).body("", empty());
    deploy("sieve?runtime=nodejs");
    deploy("Echo?runtime=nodejs");
    call().get("/functions").then().statusCode(200).body("name", equalTo(List.of("Echo", "sieve")));
    call().get("/functions/sieve").then().statusCode(200).body("", aMapWithSize(8));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "healthy,healthy | running",
        "healthy,unresponsive | degraded",
        "healthy | degraded",
        "starting,stopped | starting",
        "stopped,unresponsive | down",
        "stopped | down"
      })
  void shouldDeriveTheState(String health, String state) {
    deploy("sieve?runtime=nodejs&handlers=2");
    deployer.health(List.of(health.split(",")));
    call().get("/functions/sieve").then().body("state", equalTo(state));
    call().delete("/functions/sieve").then().statusCode(204);
  }

  @Test
  void shouldPatch() {
    deploy("sieve?runtime=nodejs&env=A=1");
    call()
        .contentType(MERGE_PATCH)
        .body("{\"handlers\":2,\"environment\":{\"A\":null,\"B\":\"2\"}}")
        .patch("/functions/sieve")
        .then()
        .statusCode(200)
        .body("version", equalTo(2))
        .body("handlers", hasSize(2))
        .body("spec.environment", equalTo(Map.of("B", "2")));
    call()
        .contentType("application/json")
        .body("{\"handlers\":null}")
        .patch("/functions/sieve")
        .then()
        .statusCode(200)
        .body("handlers", hasSize(1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"handlers\":0} | invalid-spec",
        "{\"handler\":1} | invalid-spec",
        "{\"runtime\":null} | invalid-spec",
        "{\"handlers\": | invalid-request",
        "[] | invalid-request",
      })
  void shouldRefuseAPatch(String patch, String type) {
    deploy("sieve?runtime=nodejs");
    RequestSpecification request = call().contentType(MERGE_PATCH).body(patch);
    shouldBeProblem(request.patch("/functions/sieve").then(), 400, type);
    RequestSpecification large =
        call().contentType(MERGE_PATCH).body("{\"runtime\":\"" + "x".repeat(600_000) + "\"}");
    shouldBeProblem(large.patch("/functions/sieve").then(), 400, "invalid-request");
  }

  @Test
  void shouldListVersionsAndRollBack() {
    deploy("sieve?runtime=nodejs");
    deploy("sieve?runtime=nodejs&handlers=2");
    deploy("sieve?runtime=nodejs&handlers=3");
    call()
        .get("/functions/sieve/versions")
        .then()
        .statusCode(200)
        .body("version", equalTo(List.of(1, 2, 3)))
        .body("active", equalTo(List.of(false, false, true)))
        .body("spec.handlers", equalTo(List.of(1, 2, 3)));
    call()
        .post("/functions/sieve/rollback")
        .then()
        .statusCode(200)
        .body("version", equalTo(2))
        .body("handlers", hasSize(2));
    call().post("/functions/sieve/rollback?version=1").then().body("version", equalTo(1));
    call()
        .contentType("application/json")
        .body("{\"version\":3}")
        .post("/functions/sieve/rollback")
        .then()
        .statusCode(200)
        .body("version", equalTo(3));
  }

  @Test
  void shouldRefuseAVersionThatIsNoNumber() {
    deploy("sieve?runtime=nodejs");
    for (String version : List.of("0", "-1", "x", "1.5", "99999999999", "")) {
      shouldBeProblem(
          call().post("/functions/sieve/rollback?version=" + version).then(),
          400,
          "invalid-request");
    }
    for (String body :
        List.of("{\"version\":\"1\"}", "{\"version\":0}", "{\"v\":1}", "{\"version\":1,\"x\":1}")) {
      RequestSpecification request = call().contentType("application/json").body(body);
      shouldBeProblem(request.post("/functions/sieve/rollback").then(), 400, "invalid-request");
    }
    RequestSpecification twice = call().contentType("application/json").body("{\"version\":1}");
    shouldBeProblem(
        twice.post("/functions/sieve/rollback?version=1").then(), 400, "invalid-request");
    shouldBeProblem(
        call().post("/functions/sieve/rollback?version=7").then(), 404, "unknown-version");
  }

  @Test
  void shouldDelete() {
    deploy("sieve?runtime=nodejs");
    call().delete("/functions/sieve").then().statusCode(204).body(blankOrNullString());
    shouldBeProblem(call().delete("/functions/sieve").then(), 404, "unknown-function");
    shouldBeProblem(call().get("/functions/sieve").then(), 404, "unknown-function");
  }

  @Test
  void shouldGiveAProblemForEachStatusOfHttp() {
    shouldBeProblem(call().get("/nothing").then(), 404, "");
    shouldBeProblem(call().get("/functions/sieve/nothing").then(), 404, "");
    shouldBeProblem(call().post("/functions").then(), 405, "");
    shouldBeProblem(call().accept("image/png").get("/functions").then(), 406, "");
  }

  @Test
  void shouldCarryTheOutputOfAFailure() {
    deployer.failNextWith(
        ProblemException.withOutput(
            ProblemType.BUILD_FAILED, "npm failed.", List.of("line 1", "line 2")));
    ValidatableResponse response = deploy("sieve?runtime=nodejs");
    shouldBeProblem(response, 422, "build-failed");
    response.body("output", equalTo(List.of("line 1", "line 2")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ENGINE_UNAVAILABLE", "GATEWAY_UNAVAILABLE"})
  void shouldSayWhenToComeBack(ProblemType type) {
    deployer.failNextWith(ProblemException.of(type, "It is restarting."));
    deploy("sieve?runtime=nodejs").statusCode(503).header("Retry-After", "5");
  }

  @Test
  void shouldHideAnUnexpectedFailureBehindAReference() {
    deployer.failNextWith(new IllegalStateException("the secret inside"));
    ValidatableResponse response = deploy("sieve?runtime=nodejs");
    shouldBeProblem(response, 500, "internal");
    response
        .body("detail", containsString("reference"))
        .body("detail", not(containsString("secret")));
  }

  @Test
  void shouldAskForTheToken() {
    for (String path : List.of("/functions", "/nothing", "/q/dev", "/q/health/../../functions")) {
      ValidatableResponse response = given().urlEncodingEnabled(false).get(path).then();
      shouldBeProblem(response, 401, "unauthorized");
      response.header("WWW-Authenticate", equalTo("Bearer realm=\"tinyfaas\""));
    }
    for (String wrong : List.of("Bearer x", "Basic " + TOKEN, TOKEN, "Bearer " + TOKEN + "x")) {
      given().header("Authorization", wrong).get("/functions").then().statusCode(401);
    }
    given().header("Authorization", "bearer " + TOKEN).get("/functions").then().statusCode(200);
  }

  @Test
  void shouldAskForTheTokenBeforeItReadsABody() throws IOException {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      socket
          .getOutputStream()
          .write(
              ("PUT /functions/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/zip\r\n"
                      + "Content-Length: 1000\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      assertThat(readAnswer(socket)).startsWith("HTTP/1.1 401");
    }
  }

  @Test
  void shouldShowHealthMetricsAndDocumentationWithoutToken() {
    given().get("/q/health/live").then().statusCode(200);
    given().get("/q/health/ready").then().statusCode(200);
    given().get("/q/metrics").then().statusCode(200);
    given().get("/q/swagger-ui/").then().statusCode(200).body(containsString("swagger"));
  }

  @Test
  void shouldDocumentEveryCall() {
    Map<String, Map<String, ?>> paths =
        given().accept("application/json").get("/q/openapi").then().extract().path("paths");
    Set<String> documented = new TreeSet<>();
    paths.forEach(
        (path, operations) ->
            operations.keySet().stream()
                .filter(method -> !method.equals("parameters"))
                .forEach(method -> documented.add(method.toUpperCase(Locale.ROOT) + " " + path)));
    Set<String> calls =
        callsOf(
            FunctionResource.class,
            FunctionLogsResource.class,
            RuntimeResource.class,
            DeviceResource.class,
            CertificateResource.class);
    calls.addAll(
        Set.of(
            "POST /upload",
            "POST /uploadURL",
            "POST /delete",
            "GET /list",
            "POST /wipe",
            "GET /logs"));
    assertThat(documented).isEqualTo(calls);
    given()
        .accept("application/json")
        .get("/q/openapi")
        .then()
        .body("components.securitySchemes.token.scheme", equalTo("bearer"))
        .body(
            "components.schemas.Spec.properties.handlers.maximum",
            equalTo(FunctionSpec.MAX_HANDLERS))
        .body("paths.'/functions/{name}'.put.responses.'413'", not(equalTo(null)));
  }

  private static Set<String> callsOf(Class<?>... resources) {
    Set<String> calls = new TreeSet<>();
    for (Class<?> resource : resources) {
      for (Method method : resource.getDeclaredMethods()) {
        Path path = method.getAnnotation(Path.class);
        Arrays.stream(method.getAnnotations())
            .map(annotation -> annotation.annotationType().getAnnotation(HttpMethod.class))
            .filter(Objects::nonNull)
            .map(HttpMethod::value)
            .map(verb -> verb + " " + resource.getAnnotation(Path.class).value())
            .forEach(call -> calls.add(path == null ? call : call + "/" + path.value()));
      }
    }
    return calls;
  }
}
