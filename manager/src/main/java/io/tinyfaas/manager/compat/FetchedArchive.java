package io.tinyfaas.manager.compat;

import static io.tinyfaas.manager.problem.ProblemType.FETCH_FAILED;

import io.tinyfaas.manager.problem.ProblemException;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** An answer whose body is read piece by piece: nothing is asked for before it is wanted. */
final class FetchedArchive implements AutoCloseable {

  private static final Buffer END = Buffer.buffer();

  private final HttpClientResponse response;
  private final URI uri;
  private final long deadline;

  /** A piece, {@link #END}, or the failure that ended it. */
  private final BlockingQueue<Object> pieces = new LinkedBlockingQueue<>();

  /**
   * Called on the response's own thread, before any of the body is delivered.
   *
   * @param deadline by {@link System#nanoTime}
   */
  FetchedArchive(HttpClientResponse response, URI uri, long deadline) {
    this.response = response;
    this.uri = uri;
    this.deadline = deadline;
    response.pause();
    response.handler(pieces::add);
    response.endHandler(end -> pieces.add(END));
    response.exceptionHandler(pieces::add);
  }

  int status() {
    return response.statusCode();
  }

  /** Where a redirect leads; empty if it does not say. */
  String location() {
    return Optional.ofNullable(response.getHeader("Location")).orElse("");
  }

  void writeTo(OutputStream out) throws IOException {
    try {
      while (true) {
        response.fetch(1);
        Object piece = pieces.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        switch (piece) {
          case null -> throw failed(uri, "did not send all of the archive in time");
          case Throwable failure -> throw failed(uri, "broke off: " + failure.getMessage());
          case Buffer buffer when buffer == END -> {
            return;
          }
          case Buffer buffer -> out.write(buffer.getBytes());
          default -> throw new IllegalStateException();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while fetching an archive", e);
    }
  }

  /** Ends the connection, also where the body goes on. */
  @Override
  public void close() {
    response.request().connection().close();
  }

  /** Names host and path; a query may hold what is secret. */
  static ProblemException failed(URI uri, String reason) {
    String path = String.valueOf(uri.getRawPath());
    return ProblemException.ofField(
        FETCH_FAILED,
        "url",
        uri.getScheme()
            + "://"
            + uri.getRawAuthority()
            + (path.length() > 200 ? path.substring(0, 200) + "…" : path)
            + " "
            + reason
            + ".");
  }
}
