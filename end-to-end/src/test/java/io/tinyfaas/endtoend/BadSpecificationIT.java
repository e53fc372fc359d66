package io.tinyfaas.endtoend;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.path.json.JsonPath;
import io.restassured.response.Response;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Names and specifications that do not keep to their rules. */
class BadSpecificationIT extends SteadyFunction {

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
            "There is no runtime cobol on this box; there is binary, go, "); // and others' on its
    // engine

    assertThat(problem.getString("field")).isEqualTo("runtime");
    // Runtimes are the engine's: WritingARuntimeIT may be making one for another installation.
    assertThat(problem.getString("detail")).matches(".*, nodejs, (perl, )?python3\\.");
  }

  @Test
  void shouldRefuseAnEntryOfARuntimeThatHasNoUseForOne() throws Exception {
    JsonPath problem =
        assertRefused(
            Map.of("runtime", "go", "entry", "fn.go"),
            Code.answering("bad"),
            400,
            "invalid-spec",
            "The runtime go has no use for an entry: leave it out.");

    assertThat(problem.getString("field")).isEqualTo("entry");
  }

  @Test
  void shouldAskForTheRuntimeOfANewFunction() {
    Problems.assertProblem(
        STEADY_FUNCTION.put(FRESH, Map.of(), Code.answering("bad")),
        400,
        "invalid-spec",
        "runtime is missing");
    assertUnchanged();
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
}
