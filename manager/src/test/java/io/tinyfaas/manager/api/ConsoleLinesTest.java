package io.tinyfaas.manager.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.vertx.core.http.HttpClosedException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.ExtLogRecord.FormatStyle;
import org.jboss.logmanager.formatters.PatternFormatter;
import org.jboss.resteasy.reactive.server.handlers.PublisherResponseHandler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ConsoleLinesTest {

  private static final String STREAMS = PublisherResponseHandler.class.getName();

  static List<Throwable> partings() {
    return List.of(
        new IOException("Broken pipe"),
        new ClosedChannelException(),
        new HttpClosedException("Connection was closed"));
  }

  @ParameterizedTest
  @MethodSource("partings")
  void shouldBeSilentWhenAReaderHasLeft(Throwable parting) {
    assertThat(isTold(STREAMS, parting)).isFalse();
  }

  @ParameterizedTest
  @MethodSource("partings")
  void shouldTellTheSameOfAnythingElse(Throwable failure) {
    assertThat(isTold("io.tinyfaas.manager.store.FunctionStore", failure)).isTrue();
  }

  @Test
  void shouldTellWhatFailsInTheMakingOfAnAnswer() {
    assertThat(isTold(STREAMS, ProblemException.of(ProblemType.ENGINE_UNAVAILABLE, "gone")))
        .isTrue();
    assertThat(isTold(STREAMS, null)).isTrue();
  }

  /** The engine may go away while somebody follows a log, and each such end would be a trace. */
  @Test
  void shouldTellInALineWhatIsAProblemForTheCaller() {
    LogRecord line = new LogRecord(Level.SEVERE, "failed");
    line.setLoggerName(STREAMS);
    line.setThrown(ProblemException.of(ProblemType.ENGINE_UNAVAILABLE, "gone"));

    assertThat(new ConsoleLines().isLoggable(line)).isTrue();

    assertThat(line.getThrown()).isNull();
    assertThat(line.getMessage()).isEqualTo("failed: gone");
  }

  /** As calls of the engine do, when the client that makes them goes. */
  @Test
  void shouldTellInALineWhatFailsWithTheEndOfTheManager() {
    ConsoleLines.Life life = new ConsoleLines.Life();
    ExtLogRecord line = new ExtLogRecord(Level.SEVERE, "%s failed", FormatStyle.PRINTF, "here");
    line.setLoggerName("io.quarkus");
    line.setParameters(new Object[] {"100 %"});
    line.setThrown(new IllegalStateException("no beans\nany more"));

    life.ends(new ShutdownEvent());
    try {
      assertThat(new ConsoleLines().isLoggable(line)).isTrue();
    } finally {
      life.begins(new StartupEvent());
    }

    assertThat(line.getThrown()).isNull();
    assertThat(new PatternFormatter("%s").formatMessage(line))
        .isEqualTo("100 % failed: java.lang.IllegalStateException: no beans");
  }

  @Test
  void shouldTellAllOfWhatNobodyExpected() {
    LogRecord line = new LogRecord(Level.SEVERE, "failed");
    line.setThrown(ProblemException.of(ProblemType.INTERNAL, "a bug"));

    assertThat(new ConsoleLines().isLoggable(line)).isTrue();

    assertThat(line.getThrown()).isNotNull();
  }

  private static boolean isTold(String logger, Throwable thrown) {
    LogRecord line = new LogRecord(Level.SEVERE, "failed");
    line.setLoggerName(logger);
    line.setThrown(thrown);
    return new ConsoleLines().isLoggable(line);
  }

  @Test
  void shouldTellWhatOthersWroteAsPlainText() {
    ExtLogRecord line =
        new ExtLogRecord(Level.WARNING, "reason=\"%s\"", FormatStyle.PRINTF, "here");
    line.setLoggerName("io.tinyfaas.manager.docker.FunctionImages");
    line.setParameters(new Object[] {"\u001b]0;title\u0007\nforged=line"});

    assertThat(new ConsoleLines().isLoggable(line)).isTrue();

    assertThat(new PatternFormatter("%s").formatMessage(line))
        .isEqualTo("reason=\"\\x1b]0;title\\x07\\x0aforged=line\"");
  }

  @Test
  void shouldLeaveLinesOfOthersAsTheyAre() {
    ExtLogRecord line = new ExtLogRecord(Level.INFO, "two\nlines", "here");
    line.setLoggerName("io.quarkus");

    assertThat(new ConsoleLines().isLoggable(line)).isTrue();

    assertThat(new PatternFormatter("%s").formatMessage(line)).isEqualTo("two\nlines");
  }
}
