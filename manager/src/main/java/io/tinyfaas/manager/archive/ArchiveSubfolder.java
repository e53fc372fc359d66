package io.tinyfaas.manager.archive;

import static io.tinyfaas.manager.problem.ProblemType.ARCHIVE_TOO_LARGE;
import static io.tinyfaas.manager.problem.ProblemType.INVALID_ARCHIVE;

import io.tinyfaas.manager.problem.ProblemException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * One folder of a zip that holds more than the function, such as one of a whole repository. Done
 * before the check, so that nothing else in there has to pass it.
 */
final class ArchiveSubfolder {

  private ArchiveSubfolder() {}

  /**
   * Replaces the zip by one of that folder's entries, which are copied as they are.
   *
   * @throws ProblemException INVALID_ARCHIVE if it has no such folder, ARCHIVE_TOO_LARGE
   * @throws IOException if the disk fails
   */
  static void select(Path zip, String subfolder, ArchiveLimits limits) throws IOException {
    ZipEntries.check(zip, limits.entries());
    String path = normal(subfolder);
    if (path.isEmpty()) {
      return;
    }
    Path selected = Files.createTempFile(zip.getParent(), "upload-", ".zip");
    try {
      try (ZipOnDisk from = ZipOnDisk.open(zip);
          ZipOnDisk to = ZipOnDisk.write(selected)) {
        select(from, path, to, limits);
      }
      Files.move(selected, zip, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(selected);
    }
  }

  static void select(ZipOnDisk from, String path, ZipOnDisk to, ArchiveLimits limits)
      throws IOException {
    try (ZipFile entries = ArchiveCheck.open(from);
        ZipArchiveOutputStream out = new ZipArchiveOutputStream(to)) {
      ArchiveNames names = ArchiveNames.of(entries);
      copy(entries, names, prefix(entries, names, path), out, limits);
    } catch (IOException | IllegalArgumentException e) {
      from.throwFailure();
      to.throwFailure();
      throw damaged();
    }
  }

  /** {@code ./a//b/} is {@code a/b}. */
  private static String normal(String subfolder) {
    List<String> segments =
        Arrays.stream(subfolder.split("/")).filter(s -> !s.isEmpty() && !s.equals(".")).toList();
    if (segments.contains("..")) {
      throw invalid("The folder \"" + shown(subfolder) + "\" leads out of the archive.");
    }
    return String.join("/", segments);
  }

  /** Of the entries in that folder, at the top or in the single folder around everything. */
  private static String prefix(ZipFile entries, ArchiveNames names, String path) {
    List<String> paths =
        Collections.list(entries.getEntries()).stream()
            .map(names::path)
            .filter(name -> !name.isEmpty() && !ArchiveCheck.isLeftByAFileManager(name))
            .toList();
    Set<String> tops =
        paths.stream().map(name -> name.split("/", 2)[0]).collect(Collectors.toSet());
    String below = tops.size() == 1 ? tops.iterator().next() + "/" + path + "/" : path + "/";
    for (String prefix : List.of(path + "/", below)) {
      if (paths.stream().anyMatch(name -> name.startsWith(prefix) && !name.equals(prefix))) {
        return prefix;
      }
    }
    throw invalid("The archive has no files in the folder \"" + shown(path) + "\".");
  }

  private static void copy(
      ZipFile entries,
      ArchiveNames names,
      String prefix,
      ZipArchiveOutputStream out,
      ArchiveLimits limits)
      throws IOException {
    long bytes = 0;
    for (ZipArchiveEntry entry : Collections.list(entries.getEntries())) {
      String name = names.path(entry);
      if (name.startsWith(prefix) && !name.equals(prefix)) {
        // Entries that share bytes would make a large zip of a small one.
        bytes += Math.max(0, entry.getCompressedSize());
        if (bytes > limits.uploadBytes()) {
          throw ProblemException.of(
              ARCHIVE_TOO_LARGE,
              "The folder of the archive has more than " + limits.uploadBytes() + " bytes.");
        }
        if (!ArchiveNames.isReadable(entry)) {
          throw ArchiveCheck.unreadable(name);
        }
        ZipArchiveEntry copy = new ZipArchiveEntry(name.substring(prefix.length()));
        copy.setMethod(entry.getMethod());
        copy.setSize(entry.getSize());
        copy.setCompressedSize(entry.getCompressedSize());
        copy.setCrc(entry.getCrc());
        copy.setGeneralPurposeBit(entry.getGeneralPurposeBit());
        copy.getGeneralPurposeBit().useDataDescriptor(false);
        copy.getGeneralPurposeBit().useUTF8ForNames(true);
        copy.setUnixMode(entry.getUnixMode());
        try (InputStream raw = entries.getRawInputStream(entry)) {
          out.addRawArchiveEntry(copy, raw);
        }
      }
    }
  }

  private static String shown(String text) {
    String shown = text.replaceAll("\\p{Cntrl}", "?");
    return shown.length() > 120 ? shown.substring(0, 120) + "…" : shown;
  }

  private static ProblemException damaged() {
    return ProblemException.of(INVALID_ARCHIVE, "The archive is damaged: make or send it again.");
  }

  private static ProblemException invalid(String detail) {
    return ProblemException.ofField(INVALID_ARCHIVE, "subfolder_path", detail);
  }
}
