package io.tinyfaas.harness;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestSummaryTest {

  @TempDir Path checkout;

  @Test
  void shouldAddUpWhatSurefireAndFailsafeReportOfEachModule() throws IOException {
    report(
        "gateway",
        "surefire",
        "OneTest",
        testcase("passes", 1.5, "") + testcase("waits", 2, "<skipped/>"));
    report("gateway", "failsafe", "OneIT", testcase("passes", 61, ""));
    report("runtime/server", "surefire", "TwoTest", testcase("passes", 0.2, ""));

    assertThat(
            new TestSummary()
                .read(checkout)
                .lines()
                .map(line -> line.replaceAll(" +", " ").strip()))
        .containsExactly(
            "",
            "module cases failed skipped time flaky",
            "gateway 3 0 1 65 s 0",
            "runtime/server 1 0 0 0 s 0",
            "all 4 0 1 65 s 0",
            "",
            "3 passed, 0 failed, 1 skipped");
  }

  @Test
  void shouldTellWhatWentWrongInACaseThatPassedWhenItWasRunAgain() throws IOException {
    report(
        "gateway",
        "failsafe",
        "OneIT",
        testcase(
            "sometimes",
            1,
            """
            <flakyFailure message="too late"><stackTrace>too late at line 7</stackTrace><system-out>log of the first</system-out></flakyFailure>
            <system-out>log of the second</system-out>"""));

    String summary = new TestSummary().read(checkout);

    assertThat(summary)
        .contains(
            "=== FLAKY OneIT.sometimes",
            "too late at line 7",
            "log of the first",
            "log of the second",
            "flaky: OneIT.sometimes")
        .endsWith("1 passed, 0 failed, 0 skipped\n");
  }

  @Test
  void shouldTellWhatWentWrongInACaseThatFailed() throws IOException {
    report(
        "gateway",
        "failsafe",
        "OneIT",
        testcase(
            "never",
            1,
            """
            <failure message="no">no at line 8</failure>
            <rerunFailure message="no"><stackTrace>again no at line 8</stackTrace></rerunFailure>
            <system-out>the log</system-out>"""));

    assertThat(new TestSummary().read(checkout))
        .contains("=== FAILED OneIT.never", "no at line 8", "again no at line 8", "the log")
        .doesNotContain("flaky:")
        .endsWith("0 passed, 1 failed, 0 skipped\n");
  }

  private static String testcase(String name, double seconds, String inside) {
    return "<testcase name=\"%s\" classname=\"io.tinyfaas.OneIT\" time=\"%s\">%s</testcase>"
        .formatted(name, seconds, inside);
  }

  private void report(String module, String plugin, String name, String cases) throws IOException {
    Path folder =
        Files.createDirectories(checkout.resolve(module).resolve("target/" + plugin + "-reports"));
    Files.writeString(
        folder.resolve("TEST-" + name + ".xml"), "<testsuite>" + cases + "</testsuite>");
    Files.writeString(folder.resolve(name + ".txt"), "not read");
  }
}
