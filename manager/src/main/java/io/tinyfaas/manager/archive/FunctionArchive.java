package io.tinyfaas.manager.archive;

import static io.tinyfaas.manager.problem.ProblemType.ARCHIVE_TOO_LARGE;
import static io.tinyfaas.manager.problem.ProblemType.INVALID_ARCHIVE;
import static io.tinyfaas.manager.problem.ProblemType.INVALID_REQUEST;
import static io.tinyfaas.manager.problem.ProblemType.INVALID_SPEC;

import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.spec.FunctionSpec;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * A function's files in a zip that has been looked through, to the last byte. A single folder
 * around all files is taken off; what file managers add is left out.
 */
public final class FunctionArchive implements AutoCloseable {

  /** Each has all names in memory. */
  private static final Semaphore CHECKS = new Semaphore(2, true);

  private final Path file;
  private final boolean temporary;
  private final List<ArchiveFile> files;
  private final List<String> emptyFolders;
  private final String digest;

  private FunctionArchive(Path file, boolean temporary, ArchiveContent content) {
    this.file = file;
    this.temporary = temporary;
    this.files = content.files();
    this.emptyFolders = content.emptyFolders();
    this.digest = content.digest();
  }

  /**
   * Reads an upload to a temporary file in {@code folder} and checks it all. Nothing stays behind
   * when it is refused.
   *
   * @throws ProblemException INVALID_ARCHIVE, ARCHIVE_TOO_LARGE, DISK_FULL, or INVALID_REQUEST if
   *     the upload broke off
   */
  public static FunctionArchive receive(InputStream upload, Path folder, ArchiveLimits limits) {
    return receive(upload::transferTo, "", folder, limits);
  }

  /** Writes an upload's bytes; what it throws is the sender's failure. */
  @FunctionalInterface
  public interface Upload {
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * The same of bytes that come by other ways.
   *
   * @param subfolder the function's folder in the zip, with or without the single folder around
   *     everything; empty for all of it
   */
  static FunctionArchive receive(
      Upload upload, String subfolder, Path folder, ArchiveLimits limits) {
    Path file = null;
    try {
      file = Files.createTempFile(folder, "upload-", ".zip");
      write(upload, file, limits.uploadBytes());
      if (!subfolder.isEmpty()) {
        ArchiveSubfolder.select(file, subfolder, limits);
      }
      return new FunctionArchive(file, true, check(file, limits));
    } catch (IOException e) {
      delete(file);
      throw ProblemException.ofDisk("receiving the archive", e);
    } catch (RuntimeException | Error e) {
      delete(file);
      throw e;
    }
  }

  /**
   * Opens one that was stored before, and checks it again since it may have lain there for years.
   *
   * @throws ProblemException INVALID_ARCHIVE if it is damaged, INTERNAL if it cannot be read
   */
  public static FunctionArchive open(Path zip) {
    try {
      // It was within the limits of its day.
      ArchiveLimits limits = new ArchiveLimits(1L << 30, Long.MAX_VALUE, Integer.MAX_VALUE);
      return new FunctionArchive(zip, false, check(zip, limits));
    } catch (IOException e) {
      throw ProblemException.ofDisk("reading " + zip, e);
    }
  }

  private static void write(Upload upload, Path file, long limit) throws IOException {
    try (OutputStream out = Files.newOutputStream(file)) {
      BoundedFile bounded = new BoundedFile(out, limit);
      try {
        upload.writeTo(bounded);
      } catch (IOException e) {
        throw ProblemException.of(
            INVALID_REQUEST, "The upload broke off or took too long: send it again.", e);
      }
      if (bounded.size == 0) {
        throw ProblemException.of(
            INVALID_ARCHIVE, "The archive is empty: send a zip file as the body of the request.");
      }
    }
  }

  /** Tells a disk that failed from a sender that went away, whose exception passes through. */
  private static final class BoundedFile extends OutputStream {

    private final OutputStream file;
    private final long limit;
    private long size;

    BoundedFile(OutputStream file, long limit) {
      this.file = file;
      this.limit = limit;
    }

    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      size += length;
      if (size > limit) {
        throw ProblemException.of(
            ARCHIVE_TOO_LARGE,
            "The archive has more than "
                + limit
                + " bytes: leave out what the function does not need, or raise"
                + " TINYFAAS_MAX_ARCHIVE.");
      }
      try {
        file.write(bytes, offset, length);
      } catch (IOException e) {
        throw ProblemException.ofDisk("receiving the archive", e);
      }
    }
  }

  private static ArchiveContent check(Path file, ArchiveLimits limits) throws IOException {
    CHECKS.acquireUninterruptibly();
    try {
      return ArchiveCheck.content(file, limits);
    } finally {
      CHECKS.release();
    }
  }

  /** The zip. */
  public Path file() {
    return file;
  }

  /** SHA-256 over all of the sorted content, 64 hex digits. */
  public String digest() {
    return digest;
  }

  /** Paths of regular files, {@code /} separated, sorted, a single top-level folder stripped. */
  public List<String> paths() {
    return files.stream().map(ArchiveFile::path).toList();
  }

  /**
   * Refuses an entry that is written with the single folder around everything, as it is in the zip.
   */
  public void require(FunctionSpec spec) {
    String folder = files.getFirst().folderAround();
    spec.entry()
        .filter(entry -> !folder.isEmpty() && entry.startsWith(folder))
        .filter(entry -> !paths().contains(entry))
        .map(entry -> entry.substring(folder.length()))
        .filter(paths()::contains)
        .ifPresent(
            path -> {
              throw ProblemException.ofField(
                  INVALID_SPEC,
                  "entry",
                  "entry begins with "
                      + folder
                      + ", but the archive's only folder at the top does not count: name it "
                      + path
                      + ".");
            });
  }

  /** Looks at a file of which as much is inflated as it reads. */
  @FunctionalInterface
  public interface ContentTest {
    boolean test(String path, InputStream content) throws IOException;
  }

  /** Whether a file of such a path passes the test; the first that does ends the look. */
  public boolean hasFile(Predicate<String> path, ContentTest test) {
    List<ArchiveFile> candidates = files.stream().filter(each -> path.test(each.path())).toList();
    if (candidates.isEmpty()) {
      return false;
    }
    try (ZipOnDisk disk = ZipOnDisk.open(file)) {
      return hasOne(candidates, test, disk);
    } catch (IOException e) {
      throw ProblemException.ofDisk("reading " + file, e);
    }
  }

  private static boolean hasOne(List<ArchiveFile> candidates, ContentTest test, ZipOnDisk disk)
      throws IOException {
    try (ZipFile zip = ArchiveCheck.open(disk)) {
      Map<Long, ZipArchiveEntry> entries = byHeader(zip);
      for (ArchiveFile each : candidates) {
        try (InputStream content = zip.getInputStream(entries.get(each.header()))) {
          if (test.test(each.path(), content)) {
            return true;
          }
        }
      }
      return false;
    } catch (IOException e) {
      disk.throwFailure();
      throw ProblemException.of(
          INVALID_ARCHIVE, "The archive is damaged (" + e.getMessage() + "): deploy it again.");
    }
  }

  /** Their names in the zip need not differ. */
  private static Map<Long, ZipArchiveEntry> byHeader(ZipFile zip) {
    return Collections.list(zip.getEntries()).stream()
        .collect(Collectors.toMap(ZipArchiveEntry::getLocalHeaderOffset, Function.identity()));
  }

  /**
   * Writes all as entries under {@code prefix} ({@code "function/"}) into a tar for an image build:
   * owned by root, 0755 or 0644, dated 1970 so that the same files make the same layer.
   *
   * @throws UncheckedIOException if the tar cannot be written
   * @throws ProblemException INTERNAL if the files cannot be read
   */
  public void writeTo(TarArchiveOutputStream tar, String prefix) {
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    tar.setAddPaxHeadersForNonAsciiNames(true);
    try (ZipOnDisk disk = ZipOnDisk.open(file)) {
      writeTo(tar, prefix, disk);
    } catch (IOException e) {
      throw ProblemException.ofDisk("reading " + file, e);
    }
  }

  private void writeTo(TarArchiveOutputStream tar, String prefix, ZipOnDisk disk)
      throws IOException {
    try (ZipFile zip = ArchiveCheck.open(disk)) {
      Map<Long, ZipArchiveEntry> entries = byHeader(zip);
      for (ArchiveFile each : files) {
        TarArchiveEntry entry = new TarArchiveEntry(prefix + each.path());
        entry.setMode(each.executable() ? 0100755 : 0100644);
        entry.setSize(each.size());
        entry.setModTime(0);
        tar.putArchiveEntry(entry);
        try (InputStream content = zip.getInputStream(entries.get(each.header()))) {
          content.transferTo(tar);
        }
        tar.closeArchiveEntry();
      }
      for (String folder : emptyFolders) {
        TarArchiveEntry entry = new TarArchiveEntry(prefix + folder + "/");
        entry.setMode(0040755);
        entry.setModTime(0);
        tar.putArchiveEntry(entry);
        tar.closeArchiveEntry();
      }
    } catch (IOException e) {
      disk.throwFailure();
      throw new UncheckedIOException(e);
    }
  }

  /** Deletes the temporary file, if it is one. */
  @Override
  public void close() {
    if (temporary) {
      delete(file);
    }
  }

  private static void delete(Path file) {
    try {
      if (file != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw ProblemException.ofDisk("deleting " + file, e);
    }
  }
}
