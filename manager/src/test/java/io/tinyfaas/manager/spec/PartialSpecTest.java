package io.tinyfaas.manager.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.text.JsonDocument;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PartialSpecTest {

  private static final FunctionSpec ACTIVE =
      Specs.of(
          """
          {"runtime": "nodejs", "handlers": 3, "environment": {"A": "1", "B": "2"}, "memory": "64M", "cpus": 2,
           "timeout": "5s", "networkAccess": true, "labels": {"team": "edge"}, "entry": "main.js",
           "access": "device", "observable": true, "link": {"title": "A lamp"}, "delivery": "durable",
           "async": {"retries": 3, "backoff": "2s", "onFailure": "alarm"}}\
          """);

  private static FunctionSpec on(FunctionSpec active, String json) {
    return on(Optional.of(active), json);
  }

  private static FunctionSpec onNone(String json) {
    return on(Optional.empty(), json);
  }

  private static FunctionSpec on(Optional<FunctionSpec> active, String json) {
    PartialSpec fields = Specs.fields(json);
    String runtime = fields.runtime(active);
    return fields.on(active, runtime.equals("node") ? "nodejs" : runtime);
  }

  @Test
  void shouldKeepAllWhereNothingIsNamed() {
    assertThat(on(ACTIVE, "{}")).isEqualTo(ACTIVE);
  }

  @Test
  void shouldReplaceEachNamedFieldAsAWhole() {
    assertThat(
            on(
                ACTIVE,
                "{\"handlers\": 1, \"environment\": {\"C\": \"3\"}, \"link\": {}, \"labels\":"
                    + " {\"a\": \"b\"}}"))
        .isEqualTo(
            Specs.of(
                """
                {"runtime": "nodejs", "handlers": 1, "environment": {"C": "3"}, "memory": "64M", "cpus": 2,
                 "timeout": "5s", "networkAccess": true, "labels": {"a": "b"}, "entry": "main.js",
                 "access": "device", "observable": true, "delivery": "durable",
                 "async": {"retries": 3, "backoff": "2s", "onFailure": "alarm"}}\
                """));
  }

  @Test
  void shouldKeepTheFieldsOfAnObjectOfFieldsThatAreNotNamed() {
    assertThat(on(ACTIVE, "{\"async\": {\"backoff\": \"5s\", \"onFailure\": null}}").calls())
        .isEqualTo(
            Specs.of(
                    """
                    {"runtime": "nodejs", "delivery": "durable", "async": {"retries": 3, "backoff": "5s"}}\
                    """)
                .calls());
    assertThat(onNone("{\"runtime\": \"node\", \"async\": {\"retries\": 0}}").calls().retries())
        .isZero();
  }

  @Test
  void shouldSetWhatIsNullToItsDefault() {
    assertThat(
            on(
                ACTIVE,
                """
                {"handlers": null, "environment": null, "memory": null, "cpus": null, "timeout": null,
                 "networkAccess": null, "labels": null, "entry": null, "access": null, "observable": null,
                 "link": null, "delivery": null, "async": null}\
                """))
        .isEqualTo(Specs.of("{\"runtime\": \"nodejs\"}"));
  }

  /** What is to be run of other code in another language, the entry of before does not say. */
  @Test
  void shouldDropTheEntryWithTheRuntime() {
    assertThat(on(ACTIVE, "{\"runtime\": \"java\"}").entry()).isEmpty();
    assertThat(on(ACTIVE, "{\"runtime\": \"java\"}").handlers()).isEqualTo(3);
    assertThat(on(ACTIVE, "{\"runtime\": \"java\", \"entry\": \"main.js\"}").entry())
        .contains("main.js");
    assertThat(on(ACTIVE, "{\"runtime\": \"node\"}")).isEqualTo(ACTIVE);
    assertThat(on(ACTIVE, "{\"runtime\": \"nodejs\"}")).isEqualTo(ACTIVE);
  }

  @Test
  void shouldGiveANewFunctionDefaults() {
    assertThat(onNone("{\"runtime\": \"node\", \"handlers\": 2, \"entry\": \"a.js\"}"))
        .isEqualTo(Specs.of("{\"runtime\": \"nodejs\", \"handlers\": 2, \"entry\": \"a.js\"}"));
    ProblemException problem =
        catchThrowableOfType(ProblemException.class, () -> onNone("{\"handlers\": 2}"));
    assertThat(problem.type()).isEqualTo(ProblemType.INVALID_SPEC);
    assertThat(problem.field()).isEqualTo("runtime");
  }

  @Test
  void shouldGiveANewFunctionWhatOneHasInPlaceOfDefaults() {
    PartialSpec fields =
        PartialSpec.of(
            JsonDocument.parse("{\"runtime\": \"nodejs\"}".getBytes()),
            JsonDocument.parse("{\"networkAccess\": true}".getBytes()));
    assertThat(fields.on(Optional.empty(), "nodejs").networkAccess()).isTrue();
    FunctionSpec without = on(ACTIVE, "{\"networkAccess\": false}");
    assertThat(fields.on(Optional.of(without), "nodejs")).isEqualTo(without);
  }

  /** Before an archive is received, and whatever the function has. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"runtime\": null} | runtime",
        "{\"runtime\": 7} | runtime",
        "{\"handlers\": 0} | handlers",
        "{\"handler\": 1} | handler",
        "{\"environment\": {\"A-B\": \"x\"}} | environment",
      })
  void shouldRefuseFieldsThatAreWrong(String json, String field) {
    ProblemException problem =
        catchThrowableOfType(ProblemException.class, () -> Specs.fields(json));
    assertThat(problem.type()).isEqualTo(ProblemType.INVALID_SPEC);
    assertThat(problem.field()).isEqualTo(field);
  }

  @Test
  void shouldKeepValuesThatAreHidden() {
    PartialSpec fields =
        Specs.fields("{\"environment\": {\"A\": \"***\", \"C\": \"3\", \"D\": \"****\"}}");
    Map<String, String> expected = Map.of("A", "1", "C", "3", "D", "****");
    assertThat(fields.on(Optional.of(ACTIVE), "nodejs").environment()).isEqualTo(expected);
    // Once more, of what the function has then.
    FunctionSpec changed = on(ACTIVE, "{\"environment\": {\"A\": \"new\"}}");
    assertThat(fields.on(Optional.of(changed), "nodejs").environment()).containsEntry("A", "new");
    assertThat(
            PartialSpec.of(FunctionSpecJson.writeHidden(ACTIVE)).on(Optional.of(ACTIVE), "nodejs"))
        .isEqualTo(ACTIVE);
  }

  @Test
  void shouldRefuseAHiddenValueOfNoVariable() {
    for (Optional<FunctionSpec> active :
        List.of(Optional.of(ACTIVE), Optional.<FunctionSpec>empty())) {
      ProblemException problem =
          catchThrowableOfType(
              ProblemException.class,
              () ->
                  Specs.fields("{\"runtime\": \"nodejs\", \"environment\": {\"C\": \"***\"}}")
                      .on(active, "nodejs"));
      assertThat(problem.type()).isEqualTo(ProblemType.INVALID_SPEC);
      assertThat(problem.field()).isEqualTo("environment.C");
      assertThat(problem).hasMessageContaining("send the value itself");
    }
  }

  @Test
  void shouldNotChangeWithTheDocument() {
    var document = JsonDocument.parse("{\"environment\": {\"A\": \"1\"}}".getBytes());
    PartialSpec fields = PartialSpec.of(document);
    document.remove("environment");
    assertThat(fields.on(Optional.of(ACTIVE), "nodejs").environment()).isEqualTo(Map.of("A", "1"));
  }
}
