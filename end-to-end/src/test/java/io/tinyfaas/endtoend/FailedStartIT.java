package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.path.json.JsonPath;
import io.restassured.response.Response;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Functions that cannot be built, or do not start. */
class FailedStartIT extends SteadyFunction {

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
            Code.node(code),
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
    byte[] endless = Code.node("console.log('just a moment'); for (;;);");
    byte[] deaf =
        Code.node(
            "require('net').Server.prototype.listen = function () { return this; };"
                + " setInterval(() => {}, 1000);"
                + " module.exports = (req, res) => res.send('bad');");
    try (ExecutorService both = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Response> fresh = both.submit(() -> STEADY_FUNCTION.put(FRESH, endless));
      Future<Response> steady = both.submit(() -> STEADY_FUNCTION.put(STEADY, deaf));
      String detail =
          "did not become healthy within " + Installation.START_TIMEOUT.toSeconds() + " s";
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
            Code.of(Map.of("Lamp.java", "public class Lamp { int x = ; }")),
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
            Code.of(
                Map.of(
                    "index.js",
                    "module.exports = (req, res) => res.send('bad');",
                    "package.json",
                    "{\"dependencies\":{\"lamp\":\"file:lamp.tgz\"}}")),
            422,
            "build-failed",
            "exit code 1");

    assertThat(problem.getList("output", String.class))
        .anyMatch(line -> line.contains("npm error") && line.contains("lamp.tgz"));
  }
}
