package io.tinyfaas.manager.archive;

import static io.tinyfaas.manager.problem.ProblemType.ARCHIVE_TOO_LARGE;
import static io.tinyfaas.manager.problem.ProblemType.INVALID_ARCHIVE;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tinyfaas.manager.problem.ProblemException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * One look through all of a zip: names, kinds, sizes, checksums. Believes no header: bytes are
 * counted and summed as they are inflated, and what the two headers of an entry say is compared.
 */
final class ArchiveCheck {

  private static final int MAX_PATH_BYTES = 240;
  private static final int MAX_DEPTH = 32;

  private static final int FILE_TYPE = 0170000;
  private static final int REGULAR_FILE = 0100000;
  private static final int FOLDER = 0040000;
  private static final int OWNER_MAY_RUN = 0100;
  private static final int LOCAL_HEADER_LENGTH = 30;

  /** Of tools that have no mode to write, as Maven's of folders. */
  private static final int NO_MODE = 0177777;

  /** With which a program for Linux begins. */
  private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};

  /** As an entry's name, the folder that was packed. */
  private static final String OWN_FOLDER = "./";

  /** Of names in an image's layers, for which the engine would take an archive's, too. */
  private static final String REMOVAL = ".wh.";

  private static final Pattern DRIVE = Pattern.compile("[A-Za-z]:.*", Pattern.DOTALL);
  private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

  private final ZipOnDisk zip;
  private final ArchiveLimits limits;
  private final Set<String> files = new HashSet<>();
  private final Set<String> folders = new HashSet<>();
  private final Set<Long> headers = new HashSet<>();
  private final List<ArchiveFile> found = new ArrayList<>();
  private final byte[] buffer = new byte[64 * 1024];
  private long unpacked;
  private long packed;

  private ArchiveCheck(ZipOnDisk zip, ArchiveLimits limits) {
    this.zip = zip;
    this.limits = limits;
  }

  /**
   * @throws ProblemException INVALID_ARCHIVE or ARCHIVE_TOO_LARGE
   * @throws IOException if the disk fails
   */
  static ArchiveContent content(Path zip, ArchiveLimits limits) throws IOException {
    ZipEntries.check(zip, limits.entries());
    try (ZipOnDisk opened = ZipOnDisk.open(zip)) {
      return content(opened, limits);
    }
  }

  /** The same of a zip whose directory has been looked through. */
  static ArchiveContent content(ZipOnDisk zip, ArchiveLimits limits) throws IOException {
    return new ArchiveCheck(zip, limits).run();
  }

  /** A zip as the check reads it, so that it has the same entries. */
  static ZipFile open(ZipOnDisk zip) throws IOException {
    return ZipFile.builder()
        .setSeekableByteChannel(zip)
        .setUseUnicodeExtraFields(false)
        .setIgnoreLocalFileHeader(true)
        .setCharset(UTF_8)
        .get();
  }

  private ArchiveContent run() throws IOException {
    try (ZipFile entries = open(zip)) {
      ArchiveNames names = ArchiveNames.of(entries);
      for (Iterator<ZipArchiveEntry> each = entries.getEntries().asIterator(); each.hasNext(); ) {
        check(each.next(), names, entries);
      }
    } catch (IOException | IllegalArgumentException e) {
      zip.throwFailure();
      throw invalid("", "The archive's directory is damaged: make or send it again.");
    }
    if (found.isEmpty()) {
      throw invalid("", "The archive holds no file: put the function's code into it.");
    }
    String around = folderAround();
    return new ArchiveContent(
        found.stream()
            .map(file -> around.isEmpty() ? file : file.withoutFirstFolder())
            .sorted(Comparator.comparing(ArchiveFile::path))
            .toList(),
        emptyFolders().stream()
            .filter(folder -> folder.startsWith(around))
            .map(folder -> folder.substring(around.length()))
            .sorted()
            .toList());
  }

  /** In which all files are, with a slash; empty if there is no such folder. */
  private String folderAround() {
    List<String> tops =
        found.stream()
            .map(file -> file.path().substring(0, file.path().indexOf('/') + 1))
            .distinct()
            .limit(2)
            .toList();
    return tops.size() == 1 ? tops.getFirst() : "";
  }

  private List<String> emptyFolders() {
    Set<String> filled = new HashSet<>();
    found.forEach(file -> addParents(file.path(), filled));
    folders.forEach(folder -> addParents(folder, filled));
    return folders.stream()
        .filter(folder -> !filled.contains(folder) && !isLeftByAFileManager(folder + "/"))
        .toList();
  }

  private static void addParents(String path, Set<String> parents) {
    for (int slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      parents.add(path.substring(0, slash));
    }
  }

  private void check(ZipArchiveEntry entry, ArchiveNames names, ZipFile entries)
      throws IOException {
    String name = checkedName(entry, names);
    int mode = (int) (entry.getExternalAttributes() >>> 16);
    int type = mode == NO_MODE ? 0 : mode & FILE_TYPE;
    boolean folder = name.endsWith("/");
    if (type != 0 && type != (folder ? FOLDER : REGULAR_FILE)) {
      throw invalid(
          name,
          shown(name)
              + " is a symbolic link or another special file; an archive holds regular files and"
              + " folders only: put the file itself in its place (zip does so without -y).");
    }
    if (entry.getGeneralPurposeBit().usesEncryption()) {
      throw invalid(name, shown(name) + " is encrypted: make the archive without a password.");
    }
    int method = entry.getMethod();
    if (method != ZipArchiveEntry.STORED && method != ZipArchiveEntry.DEFLATED) {
      throw invalid(
          name,
          shown(name)
              + " is compressed with method "
              + method
              + "; only stored and deflated entries can be read: make the archive with plain zip.");
    }
    // Entries that share bytes would let a small file cost hours.
    packed += entry.getCompressedSize();
    if (entry.getCompressedSize() < 0
        || packed > zip.size()
        || !headers.add(entry.getLocalHeaderOffset())) {
      throw invalid(name, shown(name) + " overlaps another entry: make the archive again.");
    }
    if (!name.equals(OWN_FOLDER)) {
      claim(folder ? name.substring(0, name.length() - 1) : name, name, folder);
    }
    if (!folder) {
      ArchiveFile file = inflate(entry, entries, name);
      if (!isLeftByAFileManager(name)) {
        found.add(file);
      }
    } else if (entry.getSize() != 0) {
      throw invalid(name, shown(name) + " is a folder with content: make the archive again.");
    }
  }

  /** Of macOS or Windows: nobody has put it there. */
  static boolean isLeftByAFileManager(String path) {
    String file = path.substring(path.lastIndexOf('/') + 1);
    return path.startsWith("__MACOSX/")
        || file.startsWith("._")
        || Set.of(".DS_Store", "Thumbs.db", "desktop.ini").contains(file);
  }

  /** Its path, or {@link #OWN_FOLDER}. */
  private String checkedName(ZipArchiveEntry entry, ArchiveNames names) throws IOException {
    String path = names.path(entry);
    String name = path.isEmpty() ? OWN_FOLDER : path;
    if (!ArchiveNames.isReadable(entry)) {
      throw unreadable(name);
    }
    ByteBuffer local;
    ByteBuffer localName;
    try {
      local = ZipEntries.read(zip, entry.getLocalHeaderOffset(), LOCAL_HEADER_LENGTH);
      localName =
          ZipEntries.read(
              zip,
              entry.getLocalHeaderOffset() + LOCAL_HEADER_LENGTH,
              Short.toUnsignedInt(local.getShort(26)));
    } catch (IOException | IllegalArgumentException e) {
      zip.throwFailure();
      throw invalid(name, shown(name) + " lies outside of the archive: make it again.");
    }
    if (!localName.equals(ByteBuffer.wrap(entry.getRawName()))) {
      throw invalid(
          name, shown(name) + " has another name at its content: make the archive again.");
    }
    if (entry.getRawName().length == 0) {
      throw invalid("", "The archive has an entry without a name: make the archive again.");
    }
    if (!path.isEmpty()) {
      checkPath(path);
    }
    return name;
  }

  static ProblemException unreadable(String name) {
    return invalid(
        name,
        shown(name)
            + " is not named in UTF-8: rename the file, or use a zip tool that writes UTF-8.");
  }

  private static void checkPath(String name) {
    int length = name.getBytes(UTF_8).length;
    if (length > MAX_PATH_BYTES) {
      throw invalid(
          name,
          shown(name)
              + " has a path of "
              + length
              + " bytes, at most "
              + MAX_PATH_BYTES
              + " are allowed: shorten it.");
    }
    if (name.indexOf('\\') >= 0) {
      throw invalid(
          name,
          shown(name)
              + " has a backslash, while other entries have / between folders: make the archive"
              + " with a tool that keeps to the zip format, on Windows 'tar -a -c -f"
              + " ../function.zip .'.");
    }
    if (CONTROL.matcher(name).find()) {
      throw invalid(name, shown(name) + " has a control character in its name: rename the file.");
    }
    if (DRIVE.matcher(name).matches()) {
      throw invalid(
          name,
          shown(name)
              + " is an absolute path; paths are relative to the function's folder: make the"
              + " archive in that folder.");
    }
    String[] segments = name.split("/");
    if (segments.length > MAX_DEPTH) {
      throw invalid(
          name,
          shown(name)
              + " is "
              + segments.length
              + " levels deep, at most "
              + MAX_DEPTH
              + " are allowed: move it up.");
    }
    for (String segment : segments) {
      if (segment.startsWith(REMOVAL)) {
        throw invalid(
            name,
            shown(name)
                + " begins with "
                + REMOVAL
                + ", by which an image says that a file is removed: rename it.");
      }
      if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
        throw invalid(
            name,
            shown(name)
                + " leads elsewhere; a path has no empty part and neither . nor .. in it: make the"
                + " archive in the function's folder.");
      }
    }
    if (name.endsWith("//")) {
      throw invalid(name, shown(name) + " ends with two slashes: make the archive again.");
    }
  }

  /** Takes the path, and its parents as folders, if no other entry has it as something else. */
  private void claim(String path, String name, boolean folder) {
    boolean taken = folder ? files.contains(path) : folders.contains(path) || !files.add(path);
    if (folder) {
      folders.add(path);
    }
    for (int slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      String parent = path.substring(0, slash);
      taken |= files.contains(parent);
      folders.add(parent);
    }
    if (files.size() + folders.size() > limits.entries()) {
      throw ZipEntries.tooMany(limits.entries());
    }
    if (taken) {
      throw invalid(
          name,
          shown(name)
              + " is in the archive twice, or as a file and a folder: make the archive anew instead"
              + " of adding to it.");
    }
  }

  private ArchiveFile inflate(ZipArchiveEntry entry, ZipFile entries, String path)
      throws IOException {
    CRC32 crc = new CRC32();
    MessageDigest sha256 = ArchiveContent.sha256();
    long size = 0;
    // A zip that was made on Windows has no modes.
    int mode = (int) (entry.getExternalAttributes() >>> 16);
    boolean executable = mode != NO_MODE && (mode & OWNER_MAY_RUN) != 0;
    try (InputStream content = entries.getInputStream(entry)) {
      for (int read = next(content); read > 0; read = next(content)) {
        executable |= size == 0 && isProgram(read);
        size += read;
        unpacked += read;
        if (unpacked > limits.unpackedBytes()) {
          throw ProblemException.ofField(
              ARCHIVE_TOO_LARGE,
              shownField(path),
              "The archive's files have more than "
                  + limits.unpackedBytes()
                  + " bytes unpacked (reached in "
                  + shown(path)
                  + "): leave out what the function does not need.");
        }
        crc.update(buffer, 0, read);
        sha256.update(buffer, 0, read);
      }
    } catch (IOException e) {
      zip.throwFailure();
      throw invalid(path, shown(path) + " is damaged: make or send the archive again.");
    }
    if (crc.getValue() != entry.getCrc() || size != entry.getSize()) {
      throw invalid(
          path,
          shown(path)
              + " is damaged: its size or CRC-32 checksum is not the one that the archive names."
              + " Make or send the archive again.");
    }
    return new ArchiveFile(
        path, "", entry.getLocalHeaderOffset(), executable, size, sha256.digest());
  }

  /** Fills the buffer, as far as there is enough. */
  private int next(InputStream content) throws IOException {
    return content.readNBytes(buffer, 0, buffer.length);
  }

  private boolean isProgram(int length) {
    return length >= ELF.length && Arrays.equals(buffer, 0, ELF.length, ELF, 0, ELF.length);
  }

  private static ProblemException invalid(String name, String detail) {
    return ProblemException.ofField(INVALID_ARCHIVE, shownField(name), detail);
  }

  private static String shownField(String name) {
    String shown = CONTROL.matcher(name).replaceAll("?");
    return shown.length() > 120 ? shown.substring(0, 120) + "…" : shown;
  }

  private static String shown(String name) {
    return "Entry \"" + shownField(name) + '"';
  }
}
