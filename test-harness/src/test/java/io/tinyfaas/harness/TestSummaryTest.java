package io.tinyfaas.harness;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestSummaryTest {

  private static final String FAILURE =
      "<failure message=\"no\">too late at line 7</failure><system-out>log of the %s</system-out>";

  @TempDir Path checkout;

  @Test
  void shouldAddUpWhatSurefireAndFailsafeReportOfEachModule() throws IOException {
    report("gateway", "surefire", testcase("passes", 1.5, ""), testcase("no", 2, "<skipped/>"));
    report("gateway", "failsafe", testcase("passes", 61, ""));
    report("runtime/server", "surefire", testcase("passes", 0.2, ""));

    assertThat(
            new TestSummary(checkout)
                .text(List.of("node=179=12"))
                .lines()
                .map(line -> line.replaceAll(" +", " ").strip()))
        .containsExactly(
            "",
            "module cases failed skipped time flaky",
            "gateway 3 0 1 65 s 0",
            "node 179 0 0 12 s 0",
            "runtime/server 1 0 0 0 s 0",
            "all 183 0 1 77 s 0",
            "",
            "182 passed, 0 failed, 1 skipped");
  }

  @Test
  void shouldListTheClassesThatTookLongTheLongestFirst() throws IOException {
    suite("gateway", "failsafe", "RoutingIT", 41, testcase("passes", 1, ""));
    suite("gateway", "failsafe", "DtlsIT", 9, testcase("passes", 9, ""));
    suite("manager", "failsafe", "ReconcilerIT", 1_082, testcase("a", 1, ""), testcase("b", 1, ""));

    assertThat(
            new TestSummary(checkout)
                .text(List.of())
                .lines()
                .map(line -> line.replaceAll(" +", " ").strip()))
        .containsSequence(
            "all 4 0 0 12 s 0",
            "",
            "class cases time",
            "manager ReconcilerIT 2 1082 s",
            "gateway RoutingIT 1 41 s",
            "",
            "4 passed, 0 failed, 0 skipped");
  }

  @Test
  void shouldSelectWhatIsRunOnceMore() throws IOException {
    report(
        "gateway",
        "failsafe",
        testcase("passes", 1, ""),
        testcase("sometimes", 1, FAILURE),
        testcase("often(boolean)[2]", 1, FAILURE));
    report("manager", "failsafe", testcase("", 1, FAILURE));
    report("contract", "failsafe", testcase("passes", 1, ""));
    report("contract", "surefire", testcase("unit", 1, FAILURE));

    assertThat(new TestSummary(checkout).toRunAgain())
        .isEqualTo(
            Map.of(
                "gateway", "io.tinyfaas.OneIT#often,io.tinyfaas.OneIT#sometimes",
                "manager", "io.tinyfaas.OneIT"));
  }

  @Test
  void shouldTellWhatWentWrongInACaseThatPassedWhenItWasRunAgain() throws IOException {
    report(
        "gateway",
        "first-attempt",
        testcase("sometimes", 1, FAILURE.formatted("first")),
        testcase("passes", 1, ""));
    report("gateway", "failsafe", testcase("sometimes", 1, "<system-out>well, now</system-out>"));

    assertThat(new TestSummary(checkout).text(List.of()))
        .contains(
            "=== FLAKY OneIT.sometimes",
            "too late at line 7",
            "log of the first",
            "well, now",
            "flaky: OneIT.sometimes")
        .doesNotContain("FAILED")
        .endsWith("2 passed, 0 failed, 0 skipped\n");
  }

  @Test
  void shouldTellWhatWentWrongInACaseThatFailedTwice() throws IOException {
    report("gateway", "first-attempt", testcase("never", 1, FAILURE.formatted("first")));
    report("gateway", "failsafe", testcase("never", 1, FAILURE.formatted("second")));

    assertThat(new TestSummary(checkout).text(List.of()))
        .contains(
            "=== FAILED OneIT.never",
            "log of the first",
            "log of the second",
            "failed: OneIT.never")
        .doesNotContain("flaky:")
        .endsWith("0 passed, 1 failed, 0 skipped\n");
  }

  @Test
  void shouldFailACaseThatWasNotRunAgain() throws IOException {
    report("gateway", "first-attempt", testcase("never", 1, FAILURE));
    report("gateway", "failsafe", testcase("another", 1, ""));

    assertThat(new TestSummary(checkout).text(List.of()))
        .endsWith("0 passed, 1 failed, 0 skipped\n");
  }

  @Test
  void shouldTakeAClassThatCouldBePreparedAtTheSecondAttemptAsFlaky() throws IOException {
    report("gateway", "first-attempt", testcase("", 1, FAILURE));
    report("gateway", "failsafe", testcase("passes", 1, ""));

    assertThat(new TestSummary(checkout).text(List.of()))
        .contains("flaky: OneIT\n")
        .endsWith("1 passed, 0 failed, 0 skipped\n");
  }

  @Test
  void shouldFailAClassOfWhichAnyCaseFailsAtTheSecondAttempt() throws IOException {
    report("gateway", "first-attempt", testcase("", 1, FAILURE));
    report("gateway", "failsafe", testcase("passes", 1, ""), testcase("never", 1, FAILURE));

    assertThat(new TestSummary(checkout).text(List.of()))
        .endsWith("0 passed, 1 failed, 0 skipped\n");
  }

  private static String testcase(String name, double seconds, String inside) {
    return "<testcase name=\"%s\" classname=\"io.tinyfaas.OneIT\" time=\"%s\">%s</testcase>"
        .formatted(name, seconds, inside);
  }

  private void report(String module, String attempt, String... cases) throws IOException {
    suite(module, attempt, "OneIT", 0, cases);
  }

  /**
   * @param seconds with what prepares its cases
   */
  private void suite(String module, String attempt, String name, int seconds, String... cases)
      throws IOException {
    Path folder =
        Files.createDirectories(checkout.resolve(module).resolve("target/" + attempt + "-reports"));
    Files.writeString(
        folder.resolve("TEST-io.tinyfaas." + name + ".xml"),
        "<testsuite name=\"io.tinyfaas.%s\" time=\"%,d\">%s</testsuite>"
            .formatted(name, seconds, String.join("", cases)));
    Files.writeString(folder.resolve("io.tinyfaas." + name + ".txt"), "not read");
  }
}
