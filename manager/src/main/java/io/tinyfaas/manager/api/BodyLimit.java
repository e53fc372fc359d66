package io.tinyfaas.manager.api;

import static io.tinyfaas.manager.problem.ProblemType.ARCHIVE_TOO_LARGE;

import io.tinyfaas.manager.deploy.ArchiveLimits;
import io.tinyfaas.manager.problem.ProblemException;
import jakarta.inject.Provider;
import jakarta.inject.Singleton;
import jakarta.ws.rs.container.ContainerRequestContext;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
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

  private final Provider<ArchiveLimits> limits;

  /**
   * @param limits later, since filters are made before the configuration of this start is read
   */
  BodyLimit(Provider<ArchiveLimits> limits) {
    this.limits = limits;
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
    request.setEntityStream(new CountedBody(request.getEntityStream(), bytes(path)));
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

    CountedBody(InputStream body, long bytes) {
      super(body);
      this.left = bytes;
    }

    private int counted(int read) {
      left -= Math.max(0, read);
      if (left < 0) {
        throw tooLarge();
      }
      return read;
    }

    @Override
    public int read() throws IOException {
      int next = super.read();
      counted(next < 0 ? 0 : 1);
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
