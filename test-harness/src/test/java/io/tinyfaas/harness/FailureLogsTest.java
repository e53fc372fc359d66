package io.tinyfaas.harness;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** By running cases that fail, and reading what is printed. */
class FailureLogsTest {

  @Test
  void shouldPrintTheLogsOfWhatIsOpenAndOfWhatTheTestClosed() {
    FailureLogs.open(this, "service", () -> List.of("all is well"));
    try {
      String printed = run("fails");

      assertThat(printed)
          .contains("fails() failed", "--- service:\nall is well\n")
          .contains("--- closed, its last lines:\nline 100\n", "\nline 299\n")
          .doesNotContain("line 99\n");
    } finally {
      FailureLogs.close(this);
    }
  }

  @ParameterizedTest
  @ValueSource(classes = {PlayedDynamically.class, PlayedAfterAFailure.class, NeverPlayed.class})
  void shouldPrintTheLogsWhenADynamicTestOrAPreparationFails(Class<?> tests) {
    FailureLogs.open(this, "service", () -> List.of("all is well"));
    try {
      assertThat(printed(DiscoverySelectors.selectClass(tests)))
          .containsOnlyOnce("failed: java.lang.AssertionError: on purpose")
          .contains("--- service:\nall is well\n");
    } finally {
      FailureLogs.close(this);
    }
  }

  @Test
  void shouldPrintNothingWhenATestPasses() {
    assertThat(run("passes")).isEmpty();
  }

  @Test
  void shouldPrintTheLogsOfOtherPartsWhereOneCannotBeRead() {
    FailureLogs.open(
        this,
        "gone",
        () -> {
          throw new AssertionError("no such container");
        });
    try {
      assertThat(run("fails")).contains("(cannot be read: no such container)", "line 299");
    } finally {
      FailureLogs.close(this);
    }
  }

  @Test
  void shouldSayHowToRepeatWhatIsRandom() {
    SummaryGeneratingListener summary = new SummaryGeneratingListener();
    execute(DiscoverySelectors.selectMethod(Played.class, "failsAtRandom"), summary);

    Throwable failure = summary.getSummary().getFailures().getFirst().getException();
    assertThat(failure.getSuppressed()[0])
        .hasMessageMatching("the seed was (-?\\d+): -Dtinyfaas.seed=\\1 repeats it");
  }

  private static String run(String method) {
    return printed(DiscoverySelectors.selectMethod(Played.class, method));
  }

  private static String printed(DiscoverySelector tests) {
    PrintStream out = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      execute(tests, new SummaryGeneratingListener());
    } finally {
      System.setOut(out);
    }
    return printed.toString(StandardCharsets.UTF_8);
  }

  private static void execute(DiscoverySelector tests, SummaryGeneratingListener summary) {
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(tests)
            .configurationParameter("junit.jupiter.extensions.autodetection.enabled", "true")
            .build();
    LauncherFactory.create().execute(request, summary);
    assertThat(summary.getSummary().getTestsFoundCount()).isEqualTo(1);
  }

  /** Not found by Surefire, since it is no class of a file of its own. */
  static class Played {

    @RegisterExtension final Seed seed = new Seed();

    @Test
    void fails() {
      Object closed = new Object();
      FailureLogs.open(
          closed, "closed", () -> IntStream.range(0, 300).mapToObj(i -> "line " + i).toList());
      FailureLogs.close(closed);
      throw new AssertionError("on purpose");
    }

    @Test
    void failsAtRandom() {
      assertThat(seed.random().nextInt()).as("on purpose").isEqualTo(seed.random().nextInt() + 1);
    }

    @Test
    void passes() {}
  }

  static class PlayedDynamically {

    @TestFactory
    DynamicTest fails() {
      return DynamicTest.dynamicTest(
          "fails",
          () -> {
            throw new AssertionError("on purpose");
          });
    }
  }

  static class PlayedAfterAFailure {

    @BeforeEach
    void fails() {
      throw new AssertionError("on purpose");
    }

    @Test
    void passes() {}
  }

  static class NeverPlayed {

    @BeforeAll
    static void fails() {
      throw new AssertionError("on purpose");
    }

    @Test
    void passes() {}
  }
}
