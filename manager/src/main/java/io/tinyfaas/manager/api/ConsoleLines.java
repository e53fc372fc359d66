package io.tinyfaas.manager.api;

import static io.tinyfaas.manager.problem.ProblemType.INTERNAL;

import io.quarkus.logging.LoggingFilter;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.text.PlainText;
import io.vertx.core.http.HttpClosedException;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.util.logging.Filter;
import java.util.logging.LogRecord;
import org.jboss.logmanager.ExtFormatter;
import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.formatters.PatternFormatter;

/**
 * What is printed of the log. Lines of the manager's own are plain text, whoever wrote what they
 * tell of.
 *
 * <p>Left out is that an answer in pieces cannot be sent to who has left: a reader of {@link
 * FunctionLogsResource} does so whenever it has read enough, often while the next line is on its
 * way. What fails in the making of such an answer is still told.
 */
@LoggingFilter(name = "console-lines")
public final class ConsoleLines implements Filter {

  private static volatile boolean stopped;

  private static final String OURS = "io.tinyfaas.";

  private static final ExtFormatter MESSAGES = new PatternFormatter("%s");

  private static final String STREAMED_ANSWERS =
      "org.jboss.resteasy.reactive.server.handlers.PublisherResponseHandler";

  @Override
  public boolean isLoggable(LogRecord line) {
    if (STREAMED_ANSWERS.equals(line.getLoggerName())
        && (line.getThrown() instanceof IOException
            || line.getThrown() instanceof HttpClosedException)) {
      return false;
    }
    if (line instanceof ExtLogRecord ours
        && String.valueOf(line.getLoggerName()).startsWith(OURS)
        && line.getMessage() != null) {
      ours.setMessage(
          PlainText.of(MESSAGES.formatMessage(line)), ExtLogRecord.FormatStyle.NO_FORMAT);
    }
    if (line.getThrown() instanceof ProblemException problem && problem.type() != INTERNAL) {
      // It is expected, and says what it is.
      putIntoLine(line, problem.getMessage());
    } else if (stopped && line.getThrown() != null) {
      putIntoLine(line, line.getThrown().toString().lines().findFirst().orElse(""));
    }
    return true;
  }

  private static void putIntoLine(LogRecord line, String reason) {
    String all = MESSAGES.formatMessage(line) + ": " + PlainText.of(reason);
    line.setThrown(null);
    if (line instanceof ExtLogRecord formatted) {
      formatted.setMessage(all, ExtLogRecord.FormatStyle.NO_FORMAT);
    } else {
      line.setMessage(all);
    }
  }

  /** Whatever still runs when the manager ends fails in some way, and is taken up by the next. */
  @Singleton
  static final class Life {

    void begins(@Observes StartupEvent event) {
      stopped = false;
    }

    void ends(@Observes ShutdownEvent event) {
      stopped = true;
    }
  }
}
