package io.tinyfaas.harness;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
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
    execute("failsAtRandom", summary);

    Throwable failure = summary.getSummary().getFailures().getFirst().getException();
    assertThat(failure.getSuppressed()[0])
        .hasMessageMatching("the seed was (-?\\d+): -Dtinyfaas.seed=\\1 repeats it");
  }

  private static String run(String method) {
    PrintStream out = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      execute(method, new SummaryGeneratingListener());
    } finally {
      System.setOut(out);
    }
    return printed.toString(StandardCharsets.UTF_8);
  }

  private static void execute(String method, SummaryGeneratingListener summary) {
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(DiscoverySelectors.selectMethod(Played.class, method))
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
}
