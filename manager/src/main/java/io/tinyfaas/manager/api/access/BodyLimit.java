package io.tinyfaas.manager.api.access;

import static io.tinyfaas.manager.problem.ProblemType.ARCHIVE_TOO_LARGE;

import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.tinyfaas.manager.archive.ArchiveLimits;
import io.tinyfaas.manager.problem.ProblemException;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Provider;
import jakarta.inject.Singleton;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.HttpHeaders;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/**
 * How large a body may be: an archive and a little more, so that an archive meets its own limit
 * first; more where it comes as text. Said lengths are checked before anything is read; a chunked
 * body is counted as it comes, also where a form's parts go to the disk before the resource sees
 * them.
 */
@Singleton
class BodyLimit {

  /** Of a multipart request beside its archive. */
  private static final long EXTRA_BYTES = 1 << 20;

  /** Where four characters of base64 stand for three bytes of the archive. */
  private static final String AS_TEXT = "upload";

  /** Of a request, what is run when all of its body has been read. */
  private static final String RECEIVED = BodyLimit.class.getName();

  private final Provider<ArchiveLimits> limits;
  private final CurrentVertxRequest current;

  /**
   * @param limits later, since filters are made before the configuration of this start is read
   */
  BodyLimit(Provider<ArchiveLimits> limits, CurrentVertxRequest current) {
    this.limits = limits;
    this.current = current;
  }

  /** Has this run as soon as all of the request's body has been read, on any thread. */
  static void whenReceived(RoutingContext request, Runnable received) {
    request.put(RECEIVED, received);
  }

  private long bytes(String path) {
    long archive = limits.get().uploadBytes();
    return (path.replaceFirst("^/", "").equals(AS_TEXT) ? (archive + 2) / 3 * 4 : archive)
        + EXTRA_BYTES;
  }

  /**
   * @param contentLength header, empty if there is none; else a number, as the server has checked
   * @throws ProblemException ARCHIVE_TOO_LARGE
   */
  void check(String path, String contentLength) {
    if (!contentLength.isEmpty() && Long.parseLong(contentLength) > bytes(path)) {
      throw tooLarge();
    }
  }

  @ServerRequestFilter(preMatching = true)
  void count(ContainerRequestContext request) {
    String path = request.getUriInfo().getPath();
    long length =
        Optional.ofNullable(request.getHeaderString(HttpHeaders.CONTENT_LENGTH))
            .map(Long::parseLong)
            .orElse(Long.MAX_VALUE);
    Runnable received =
        Optional.ofNullable(current.getCurrent())
            .map(context -> context.<Runnable>get(RECEIVED))
            .orElse(() -> {});
    request.setEntityStream(
        new CountedBody(request.getEntityStream(), bytes(path), length, received));
  }

  private ProblemException tooLarge() {
    return ProblemException.of(
        ARCHIVE_TOO_LARGE,
        "The request is larger than an archive may be, "
            + limits.get().uploadBytes()
            + " bytes: leave out what the function does not need, or raise TINYFAAS_MAX_ARCHIVE.");
  }

  private final class CountedBody extends FilterInputStream {

    private long left;
    private long missing;
    private final Runnable received;

    /**
     * @param bytes that it may have
     * @param length that it is said to have
     * @param received run when it has been read to its end
     */
    CountedBody(InputStream body, long bytes, long length, Runnable received) {
      super(body);
      this.left = bytes;
      this.missing = length;
      this.received = received;
    }

    /**
     * @param read how many bytes, or -1
     */
    private int counted(int read) {
      left -= Math.max(0, read);
      missing -= Math.max(0, read);
      if (left < 0) {
        throw tooLarge();
      }
      if (read < 0 || missing <= 0) {
        received.run();
      }
      return read;
    }

    @Override
    public int read() throws IOException {
      int next = super.read();
      counted(next < 0 ? -1 : 1);
      return next;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      return counted(super.read(bytes, offset, length));
    }

    /** Would read on to the end; what is left is dropped with the request. */
    @Override
    public void close() {}
  }
}
