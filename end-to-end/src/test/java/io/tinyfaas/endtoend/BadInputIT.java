package io.tinyfaas.endtoend;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.restassured.path.json.JsonPath;
import io.restassured.response.Response;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What people and programs send by mistake or with intent. Each is answered by its problem, leaves
 * nothing behind, and the version that ran before goes on serving.
 */
@Timeout(60)
class BadInputIT {

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;
  private static final Device DEVICE = new Device(SYSTEM);

  /** Runs before, during and after everything here. */
  private static final String STEADY = "steady";

  /** What each bad deployment is also sent to: a name that nobody has. */
  private static final String FRESH = "fresh";

  private static final Functions STEADY_FUNCTION = new Functions(SYSTEM);

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  private static List<String> before;

  @BeforeAll
  static void start() {
    STEADY_FUNCTION.deploy(STEADY, Code.answering("steady"));
    before = SYSTEM.inventory();
  }

  @AfterAll
  static void end() {
    assertUnchanged();
    STEADY_FUNCTION.afterEach(null);
    DEVICE.switchOff();
  }

  /** Not a container, network, image or file more or less than before. */
  private static void assertUnchanged() {
    assertThat(SYSTEM.inventory()).isEqualTo(before);
    assertServing();
  }

  private static void assertServing() {
    assertThat(SYSTEM.rest().get("/functions").jsonPath().getList("name"))
        .contains(STEADY)
        .doesNotContain(FRESH);
    assertThat(DEVICE.get(STEADY).getResponseText()).isEqualTo("steady");
  }

  /** For the function that is there and as a new one, at once: the same answer to both. */
  private static JsonPath assertRefused(
      Map<String, ?> spec, byte[] archive, int status, String type, String detail)
      throws Exception {
    JsonPath problem;
    try (ExecutorService both = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Response> fresh = both.submit(() -> STEADY_FUNCTION.put(FRESH, spec, archive));
      Future<Response> steady = both.submit(() -> STEADY_FUNCTION.put(STEADY, spec, archive));
      problem = Problems.assertProblem(fresh.get(), status, type, detail);
      Problems.assertProblem(steady.get(), status, type, detail);
    }
    // What ends before the engine is asked is looked at when all is over.
    if (type.equals("invalid-spec")) {
      assertServing();
    } else {
      assertUnchanged();
    }
    return problem;
  }

  static Stream<Arguments> archives() {
    return Stream.of(
        archive("nothing", () -> new byte[0], 400, "invalid-archive", "", "is empty"),
        archive(
            "not a zip", () -> "no zip".getBytes(UTF_8), 400, "invalid-archive", "", "not a zip"),
        archive("cut short", Archives::cutShort, 400, "invalid-archive", "", "cut short"),
        archive(
            "a path out of the folder",
            () -> Archives.withEntry("../../etc/cron.d/x"),
            400,
            "invalid-archive",
            "../../etc/cron.d/x",
            "neither . nor .."),
        archive(
            "a path out of the folder and in again",
            () -> Archives.withEntry("a/../../fresh/x"),
            400,
            "invalid-archive",
            "a/../../fresh/x",
            "neither . nor .."),
        archive(
            "an absolute path",
            () -> Archives.withEntry("/etc/passwd"),
            400,
            "invalid-archive",
            "/etc/passwd",
            "absolute path"),
        archive(
            "a symbolic link",
            () -> Archives.withSymbolicLink("link", "/etc/shadow"),
            400,
            "invalid-archive",
            "link",
            "symbolic link"),
        archive(
            "a name twice",
            () -> Archives.withEntry("index.js"),
            400,
            "invalid-archive",
            "index.js",
            "twice"),
        archive(
            "100,000 entries",
            () -> Archives.withEntries(100_000),
            413,
            "archive-too-large",
            "",
            "more than 10000 entries"),
        archive(
            "10 GiB in 10 MiB",
            () -> Archives.bomb(10),
            413,
            "archive-too-large",
            "zeros",
            "268435456 bytes unpacked"),
        archive(
            "a wrong CRC",
            Archives::withWrongChecksum,
            400,
            "invalid-archive",
            "data",
            "CRC-32 checksum"),
        archive(
            "no function",
            () -> Installation.zip(Map.of("readme.txt", "nothing here".getBytes(UTF_8))),
            400,
            "invalid-archive",
            "archive",
            "nodejs"));
  }

  private static Arguments archive(
      String what, Supplier<byte[]> bytes, int status, String type, String field, String detail) {
    return Arguments.of(Named.of(what, bytes), status, type, field, detail);
  }

  @ParameterizedTest
  @MethodSource("archives")
  void shouldRefuseTheArchive(
      Supplier<byte[]> archive, int status, String type, String field, String detail)
      throws Exception {
    JsonPath problem =
        assertRefused(Map.of("runtime", "nodejs"), archive.get(), status, type, detail);

    assertThat(problem.getString("field")).isEqualTo(field.isEmpty() ? null : field);
  }

  @ParameterizedTest
  @ValueSource(ints = {64 * 1024 * 1024, 70 * 1024 * 1024})
  void shouldRefuseAnArchiveOverTheLimit(int size) {
    byte[] archive = Archives.ofSize(size);

    Problems.assertProblem(
        STEADY_FUNCTION.put(FRESH, archive),
        413,
        "archive-too-large",
        Integer.toString(64 * 1024 * 1024),
        "TINYFAAS_MAX_ARCHIVE");
    assertUnchanged();
  }

  static Stream<Arguments> specs() {
    return Stream.of(
        Arguments.of("handlers", "0", "whole number from 1 to 28"),
        Arguments.of("handlers", "-1", "whole number from 1 to 28"),
        Arguments.of("handlers", "10000", "whole number from 1 to 28"),
        Arguments.of("handlers", "2.5", "whole number from 1 to 28"),
        Arguments.of("handlers", "99999999999999999999", "whole number from 1 to 28"),
        Arguments.of("memory", "lots", "memory is \"lots\", but memory is from 16M to 64G"),
        Arguments.of("memory", "1", "from 16M to 64G"),
        Arguments.of("memory", "60G", "this box has"),
        Arguments.of("cpus", "0", "from 0.05 to 64"),
        Arguments.of("cpus", "63", "this box has"),
        Arguments.of("timeout", "soon", "from 100ms to 15m"),
        Arguments.of("timeout", "1h", "from 100ms to 15m"),
        Arguments.of("networkAccess", "perhaps", "true or false"),
        Arguments.of("handlrs", "2", "There is no field \"handlrs\"; the fields are runtime,"));
  }

  @ParameterizedTest
  @MethodSource("specs")
  void shouldRefuseTheSpecification(String field, String value, String detail) throws Exception {
    JsonPath problem =
        assertRefused(
            Map.of("runtime", "nodejs", field, value),
            Code.answering("bad"),
            400,
            "invalid-spec",
            detail);

    assertThat(problem.getString("field")).isEqualTo(field);
  }

  @Test
  void shouldRefuseARuntimeThatDoesNotExist() throws Exception {
    JsonPath problem =
        assertRefused(
            Map.of("runtime", "cobol"),
            Code.answering("bad"),
            422,
            "unknown-runtime",
            "There is no runtime cobol on this box; there is binary, go, java, nodejs, python3.");

    assertThat(problem.getString("field")).isEqualTo("runtime");
  }

  @Test
  void shouldAskForARuntime() throws Exception {
    assertRefused(Map.of(), Code.answering("bad"), 400, "invalid-spec", "runtime is missing");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a234567890123456789012345678901234567890123456789012345678901234",
        "with_underscore",
        "with.dot",
        "with space",
        "-first",
        "last-",
        "Upper-and-hyphen",
        "größe",
        "..",
        "a/b",
        "%",
        "a\u0000b",
        "a;b",
        "a\nb"
      })
  void shouldRefuseTheName(String name) {
    Response answer = STEADY_FUNCTION.tryName(name, Code.answering("bad"));

    assertThat(answer.statusCode()).isIn(400, 404, 405);
    if (answer.statusCode() == 400 && !answer.asString().isEmpty()) {
      JsonPath problem =
          Problems.assertProblem(answer, 400, "invalid-request", "1 to 63 characters");
      assertThat(problem.getString("field")).isEqualTo("name");
    }
    assertServing();
  }

  static Stream<Arguments> functionsThatDoNotStart() {
    return Stream.of(
        start(
            "does not load",
            "throw new Error('no lamp today');",
            "ended with exit code 1 before it was healthy",
            "Error: no lamp today"),
        start(
            "is no JavaScript",
            "module.exports = (req, res) => {",
            "ended with exit code 1 before it was healthy",
            "SyntaxError"),
        start("is no function", "module.exports = 42;", "ended with exit code 1", "function"),
        start(
            "exits",
            "console.log('good bye'); process.exit(3);",
            "ended with exit code 3 before it was healthy",
            "good bye"),
        start(
            "takes too much memory",
            "const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1));",
            "may need more memory",
            null));
  }

  private static Arguments start(String what, String code, String detail, String output) {
    return Arguments.of(Named.of(what, code), detail, output);
  }

  @ParameterizedTest
  @MethodSource("functionsThatDoNotStart")
  void shouldRefuseAFunctionThatDoesNotStart(String code, String detail, String output)
      throws Exception {
    JsonPath problem =
        assertRefused(
            Map.of("runtime", "nodejs", "memory", "64M"),
            Installation.node(code),
            422,
            "start-failed",
            detail);

    if (output != null) {
      assertThat(problem.getList("output", String.class)).anyMatch(line -> line.contains(output));
    }
  }

  /** Two at once, since each takes the whole time that there is. */
  @Test
  void shouldGiveUpAFunctionThatNeverBecomesHealthyAndOneThatListensOnNothing() throws Exception {
    byte[] endless = Installation.node("console.log('just a moment'); for (;;);");
    byte[] deaf =
        Installation.node(
            "require('net').Server.prototype.listen = function () { return this; };"
                + " setInterval(() => {}, 1000);"
                + " module.exports = (req, res) => res.send('bad');");
    try (ExecutorService both = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Response> fresh = both.submit(() -> STEADY_FUNCTION.put(FRESH, endless));
      Future<Response> steady = both.submit(() -> STEADY_FUNCTION.put(STEADY, deaf));
      String detail = "did not become healthy within 10 s";
      assertThat(
              Problems.assertProblem(fresh.get(), 422, "start-failed", detail)
                  .getList("output", String.class))
          .contains("just a moment");
      Problems.assertProblem(steady.get(), 422, "start-failed", detail);
    }
    assertUnchanged();
  }

  @Test
  void shouldRefuseSourcesThatDoNotCompile() throws Exception {
    JsonPath problem =
        assertRefused(
            Map.of("runtime", "java"),
            Installation.zip(
                Map.of("Lamp.java", "public class Lamp { int x = ; }".getBytes(UTF_8))),
            422,
            "build-failed",
            "exit code 1");

    assertThat(problem.getList("output", String.class))
        .anyMatch(line -> line.contains("Lamp.java:1"));
  }

  @Test
  void shouldRefuseADependencyThatDoesNotExist() throws Exception {
    JsonPath problem =
        assertRefused(
            Map.of("runtime", "nodejs"),
            Installation.zip(
                Map.of(
                    "index.js",
                    "module.exports = (req, res) => res.send('bad');".getBytes(UTF_8),
                    "package.json",
                    "{\"dependencies\":{\"@types/node\":\"0.0.0-none\"}}".getBytes(UTF_8))),
            422,
            "build-failed",
            "exit code 1");

    assertThat(problem.getList("output", String.class)).anyMatch(line -> line.contains("npm"));
  }

  static Stream<Arguments> forms() {
    return Stream.of(
        Arguments.of("{\"runtime\":\"nodejs\"", "invalid-request", "not JSON"),
        Arguments.of("[]", "invalid-request", "A JSON object is needed"),
        Arguments.of("{} {}", "invalid-request", "Something follows"),
        Arguments.of("{\"runtime\":\"nodejs\",\"runtime\":\"java\"}", "invalid-request", "runtime"),
        Arguments.of("{\"runtime\":7}", "invalid-spec", "runtime is a string"),
        Arguments.of("{\"runtime\":\"nodejs\",\"handlers\":\"two\"}", "invalid-spec", "from 1 to"),
        Arguments.of("{\"runtime\":\"nodejs\",\"memory\":\"lots\"}", "invalid-spec", "16M to 64G"),
        Arguments.of(
            "{\"runtime\":\"nodejs\",\"volumes\":[\"/:/host\"]}", "invalid-spec", "volumes"),
        Arguments.of(
            "{\"runtime\":\"nodejs\",\"environment\":{\"TINYFAAS_SOCKET\":\"/x\"}}",
            "invalid-spec",
            "belong to the platform"),
        Arguments.of(
            "{\"runtime\":\"nodejs\",\"environment\":{\"A=B\":\"x\"}}", "invalid-spec", "A=B"),
        Arguments.of(
            "{\"runtime\":\"nodejs\",\"labels\":{\"tinyfaas.instance\":\"x\"}}",
            "invalid-spec",
            "belong to the platform"));
  }

  @ParameterizedTest
  @MethodSource("forms")
  void shouldRefuseTheSpecificationOfAForm(String spec, String type, String detail) {
    for (String name : List.of(STEADY, FRESH)) {
      Response answer =
          SYSTEM
              .rest()
              .multiPart("spec", "spec.json", spec.getBytes(UTF_8), "application/json")
              .multiPart("archive", "f.zip", Code.answering("bad"), "application/zip")
              .put("/functions/" + name);
      Problems.assertProblem(answer, 400, type, detail);
    }
    assertServing();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"handlers\": 0}",
        "{\"handlers\": ",
        "[1]",
        "",
        "{\"memory\": \"lots\"}",
        "{\"runtime\": null}",
        "{\"colour\": \"green\"}"
      })
  void shouldRefuseThePatch(String patch) {
    Response answer = functions.patch(STEADY, patch);

    assertThat(answer.statusCode()).as(answer.asString()).isEqualTo(400);
    Problems.assertProblem(answer);
    assertServing();
  }

  @Test
  void shouldRefuseARuntimeThatTheArchiveIsNotFor() {
    Problems.assertProblem(
        functions.patch(STEADY, "{\"runtime\": \"java\"}"), 400, "invalid-archive", "java");
    assertUnchanged();
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
      assertThat(DEVICE.get("twice").getResponseText()).isEqualTo(Integer.toString(last + 1));
    }
    await().untilAsserted(() -> assertThat(SYSTEM.handlers("twice")).hasSize(1));
  }

  /** The deploy is answered first: what comes later waits for it. */
  @Test
  void shouldDeleteAfterADeployThatIsUnderWay() throws Exception {
    try (ExecutorService both = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Response> deploy =
          both.submit(() -> functions.put("short-lived", Code.loading(1_500, "x")));
      await().until(() -> !SYSTEM.handlers("short-lived").isEmpty());
      Future<Response> deletion = both.submit(() -> functions.delete("short-lived"));

      assertThat(deploy.get().statusCode()).isEqualTo(201);
      assertThat(deletion.get().statusCode()).isEqualTo(204);
    }
    assertThat(DEVICE.get("short-lived").getCode()).isEqualTo(ResponseCode.NOT_FOUND);
    assertThat(functions.traces("short-lived")).isEmpty();
  }

  @Test
  void shouldDeleteWhatRanBeforeADeployThatFails() throws Exception {
    functions.deploy("doomed", Code.answering("1"));
    int containers = SYSTEM.handlers("doomed").size();
    try (ExecutorService both = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Response> deploy =
          both.submit(
              () ->
                  functions.put(
                      "doomed",
                      Installation.node(
                          "for (const end = Date.now() + 1500; Date.now() < end; );"
                              + " throw new Error('no');")));
      await().until(() -> SYSTEM.handlers("doomed").size() > containers);
      Future<Response> deletion = both.submit(() -> functions.delete("doomed"));

      Problems.assertProblem(deploy.get(), 422, "start-failed");
      assertThat(deletion.get().statusCode()).isEqualTo(204);
    }
    assertThat(functions.traces("doomed")).isEmpty();
  }
}
