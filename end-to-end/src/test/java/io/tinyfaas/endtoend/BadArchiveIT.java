package io.tinyfaas.endtoend;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.path.json.JsonPath;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Archives that are none, that are too large, or that reach out of their folder. */
class BadArchiveIT extends SteadyFunction {

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
            () -> Archives.withEntry("C:/Windows/x"),
            400,
            "invalid-archive",
            "C:/Windows/x",
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
            () -> Code.of(Map.of("readme.txt", "nothing here")),
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

  @Test
  void shouldRefuseARuntimeThatTheArchiveIsNotFor() {
    Problems.assertProblem(
        functions.patch(STEADY, "{\"runtime\": \"java\"}"), 400, "invalid-archive", "java");
    assertUnchanged();
  }
}
