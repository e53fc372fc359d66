package io.tinyfaas.manager.api;

import io.quarkus.logging.LoggingFilter;
import io.vertx.core.http.HttpClosedException;
import java.io.IOException;
import java.util.logging.Filter;
import java.util.logging.LogRecord;

/**
 * Leaves out that an answer in pieces cannot be sent to who has left: a reader of {@link
 * FunctionLogsResource} does so whenever it has read enough, often while the next line is on its
 * way. What fails in the making of such an answer is still told.
 */
@LoggingFilter(name = "departed-readers")
public final class DepartedReaders implements Filter {

  private static final String STREAMED_ANSWERS =
      "org.jboss.resteasy.reactive.server.handlers.PublisherResponseHandler";

  @Override
  public boolean isLoggable(LogRecord line) {
    return !STREAMED_ANSWERS.equals(line.getLoggerName())
        || !(line.getThrown() instanceof IOException
            || line.getThrown() instanceof HttpClosedException);
  }
}
