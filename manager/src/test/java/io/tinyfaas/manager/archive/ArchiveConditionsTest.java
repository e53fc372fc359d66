package io.tinyfaas.manager.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.manager.engine.Labels;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ArchiveConditionsTest {

  private static boolean areMet(String label, Map<String, String> files) {
    try (FunctionArchive archive = Zip.of(files)) {
      return ArchiveConditions.parse(Labels.list(label)).areMetBy(archive);
    }
  }

  private static boolean areMetByPackage(String label, String json) {
    return areMet(label, Map.of("index.js", "", "package.json", json));
  }

  @Test
  void shouldBeMetByAllIfThereAreNone() {
    assertThat(areMet(null, Map.of("a", ""))).isTrue();
    assertThat(areMet(" , ", Map.of("a", ""))).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          *.java                | true
          **/*.java             | true
          *.c, src/*.java       | true
          *.c,*.h               | false
          lib/*.java            | false
          src/deep/*            | false
          """)
  void shouldBeMetByPathsThatMatchAGlob(String label, boolean met) {
    assertThat(areMet(label, Map.of("A.java", "", "src/B.java", "", "src/deep/er/C.java", "")))
        .isEqualTo(met);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"dependencies\": {\"is-number\": \"7.0.0\"}}",
        "{\"dependencies\": [\"is-number\"]}",
        "{\"dependencies\": \"is-number\"}",
        "{\"dependencies\": false}",
        "{\"dependencies\": 0}",
        "{\"dependencies\": {}, \"dependencies\": {\"is-number\": \"7.0.0\"}}",
        "\uFEFF{\"dependencies\": {\"is-number\": \"7.0.0\"}}",
      })
  void shouldBeMetByAValueThatIsNotEmpty(String json) {
    assertThat(areMetByPackage("package.json#/dependencies", json)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"name\": \"fn\", \"devDependencies\": {\"is-number\": \"7.0.0\"}}",
        "{\"dependencies\": {}}",
        "{\"dependencies\": []}",
        "{\"dependencies\": \"\"}",
        "{\"dependencies\": null}",
        "\uFEFF{}",
      })
  void shouldNotBeMetByAValueThatIsMissingOrEmpty(String json) {
    assertThat(areMetByPackage("package.json#/dependencies", json)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "  ",
        "{ broken",
        "{} {}",
        "{\"name\": 'fn'}",
        "\uFEFF",
        "\uFEFF\uFEFF{}",
        "[]",
        "[{\"dependencies\": {}}]",
        "null",
        "7",
        "\"dependencies\"",
      })
  void shouldBeMetByAFileThatIsNotTheJsonThatIsMeant(String text) {
    assertThat(areMetByPackage("package.json#/dependencies", text)).isTrue();
  }

  @Test
  void shouldBeMetByJsonThatIsTooLargeToLookInto() {
    String json = "{\"name\": \"%s\"}";
    int rest = ArchiveConditions.MAX_BYTES - json.formatted("").length();

    assertThat(areMetByPackage("package.json#/dependencies", json.formatted("x".repeat(rest))))
        .isFalse();
    assertThat(areMetByPackage("package.json#/dependencies", json.formatted("x".repeat(rest + 1))))
        .isTrue();
  }

  @Test
  void shouldBeMetByJsonThatIsNestedTooDeep() {
    assertThat(areMetByPackage("package.json#/a", "{\"b\":" + "[".repeat(50_000) + "}")).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          package.json#/scripts/install        | true
          package.json#/scripts/prepare        | false
          package.json#/scripts/test/deeper    | true
          package.json#/files/1                | true
          package.json#/files/2                | false
          package.json#/files/name             | true
          package.json#/a~1b                   | true
          package.json#/c%25d,x                | true
          package.json#/e%2Cf                  | true
          package.json#/g%20h                  | true
          package.json#/gr%C3%BCn              | true
          package.json#/                       | false
          package.json#                        | true
          *.json#/scripts/install              | true
          **/package.json#/version             | true
          package.json#/version                | false
          tsconfig.json#/scripts               | false
          tsconfig.json#/scripts,package.json#/prepare, *.json#/files | true
          package.json#/prepare,index.js       | true
          """)
  void shouldFollowThePointer(String label, boolean met) {
    assertThat(
            areMet(
                label,
                Map.of(
                    "index.js",
                    "",
                    "lib/package.json",
                    "{\"version\": \"1.0.0\"}",
                    "package.json",
                    """
                    {"scripts": {"install": "make", "test": "x"}, "files": ["", "b"],
                     "a/b": 1, "c%d": 1, "e,f": 1, "g h": 1, "grün": 1}
                    """)))
        .isEqualTo(met);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"package.json#dependencies", "package.json#/%zz", "package.json#/a b", "["})
  void shouldRefuseWhatIsNoCondition(String label) {
    assertThatThrownBy(() -> ArchiveConditions.parse(Labels.list(label)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void shouldSayWhatIsAskedFor() {
    assertThat(ArchiveConditions.parse(Labels.list("*.js,package.json#/main")))
        .hasToString("*.js, package.json#/main");
  }
}
