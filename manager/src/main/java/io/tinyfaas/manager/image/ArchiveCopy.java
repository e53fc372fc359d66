package io.tinyfaas.manager.image;

import com.github.dockerjava.api.DockerClient;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** The files of an archive on their way into a container, as a tar. */
final class ArchiveCopy {

  private static final int PIPE_BYTES = 64 * 1024;

  private ArchiveCopy() {}

  /** Streams the archive's files, which may be larger than this process' memory. */
  static void into(DockerClient docker, FunctionArchive archive, String container) {
    AtomicReference<RuntimeException> unread = new AtomicReference<>();
    try (PipedInputStream tar = new PipedInputStream(PIPE_BYTES)) {
      EnginesEnd pipe = new EnginesEnd(new PipedOutputStream(tar));
      Thread writer = Thread.ofVirtual().name("archive").start(() -> write(archive, pipe, unread));
      try {
        docker
            .copyArchiveToContainerCmd(container)
            .withRemotePath("/")
            .withTarInputStream(tar)
            .exec();
        writer.join();
      } catch (RuntimeException e) {
        // Of a tar that is cut short the engine says so, but not why.
        throw unread.get() == null ? e : unread.get();
      }
      if (unread.get() != null) {
        throw unread.get();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while copying a function", e);
    }
  }

  /** A tar that ends early may be a whole one, of fewer files: its end says nothing. */
  private static void write(
      FunctionArchive archive, EnginesEnd pipe, AtomicReference<RuntimeException> unread) {
    try (TarArchiveOutputStream out = new TarArchiveOutputStream(pipe, "UTF-8")) {
      try {
        out.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
        archive.writeTo(out, HandlerHttp.FUNCTION_FOLDER.substring(1) + "/");
      } catch (UncheckedIOException e) {
        if (!pipe.isClosed()) {
          unread.set(
              ProblemException.of(
                  ProblemType.INVALID_ARCHIVE,
                  "The function's archive is damaged (" + e.getMessage() + "): deploy it again."));
        }
      } catch (RuntimeException e) {
        unread.set(e);
      }
    } catch (IOException e) {
      // The engine has gone, and its failure is told, or what could not be read is.
    }
  }

  /** Where a tar goes: tells an engine that reads no more from files that cannot be read. */
  private static final class EnginesEnd extends FilterOutputStream {

    private boolean closed;

    EnginesEnd(OutputStream engine) {
      super(engine);
    }

    boolean isClosed() {
      return closed;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        out.write(bytes, offset, length);
      } catch (IOException e) {
        closed = true;
        throw e;
      }
    }
  }
}
