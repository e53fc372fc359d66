package io.tinyfaas.manager.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tinyfaas.manager.engine.Labels;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * A folder of the checkout that becomes a runtime ({@code contract/handler-http.md}): its labels,
 * and with the operator's CA certificates the context of its image's build.
 */
record RuntimeFolder(Path checkout, String folder, Map<String, String> labels) {

  static final String DOCKERFILE = "Dockerfile";
  static final String DESCRIPTOR = "runtime.labels";

  private static final String CERTIFICATES = "compose/ca-certificates";

  /** A folder is read into one request to the engine. */
  private static final int MAX_FILES = 2_000;

  private static final long MAX_BYTES = 32L << 20;
  private static final long MAX_DESCRIPTOR_BYTES = 64 * 1024;

  /** What tools leave beside sources, which an image is not made of. */
  private static final Set<String> LEFT_OUT = Set.of("node_modules", "target", "__pycache__");

  /** Of the checkout, an image is made of nothing else. */
  private static final Pattern FOLDER = Pattern.compile("handler-runtime-[a-z0-9-]{1,62}");

  private static final Pattern ADD = Pattern.compile("(?im)^\\s*(ONBUILD\\s+)?ADD\\s");

  /** The Dockerfile's first lines may say what continues a line: a backslash, unless it does. */
  private static final Pattern ESCAPE =
      Pattern.compile("(?i)(?:#\\s*(?!escape)\\w+\\s*=.*\\R)*#\\s*escape\\s*=\\s*([`\\\\])");

  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");

  /**
   * @throws IOException if it cannot be read, or says what no runtime may say
   */
  static RuntimeFolder read(Path checkout, String folder) throws IOException {
    Path descriptor = checkout.resolve(folder).resolve(DESCRIPTOR);
    if (Files.size(descriptor) > MAX_DESCRIPTOR_BYTES) {
      throw new IOException(DESCRIPTOR + " has more than " + MAX_DESCRIPTOR_BYTES + " bytes");
    }
    Map<String, String> labels = new LinkedHashMap<>();
    for (String line : Files.readAllLines(descriptor, UTF_8)) {
      if (!line.isBlank() && !line.startsWith("#")) {
        int equals = line.indexOf('=');
        if (!line.startsWith(Labels.RUNTIME) || equals < 0) {
          throw new IOException(
              "a line of " + DESCRIPTOR + " is no " + Labels.RUNTIME + "…=value: " + line);
        }
        labels.put(line.substring(0, equals).strip(), line.substring(equals + 1).strip());
      }
    }
    if (!NAME.matcher(labels.getOrDefault(Labels.RUNTIME, "")).matches()) {
      throw new IOException(
          DESCRIPTOR
              + " needs a line "
              + Labels.RUNTIME
              + "=NAME, of lower-case letters, digits and hyphens");
    }
    for (String other : Labels.list(labels.get(Labels.RUNTIME_FOLDERS))) {
      if (!FOLDER.matcher(other).matches()) {
        throw new IOException(
            DESCRIPTOR
                + " names in "
                + Labels.RUNTIME_FOLDERS
                + " what is no handler-runtime-NAME: "
                + other);
      }
    }
    try {
      RuntimeImage.describedBy("", labels);
    } catch (IllegalArgumentException e) {
      throw new IOException(DESCRIPTOR + " describes no runtime: " + e.getMessage(), e);
    }
    return new RuntimeFolder(checkout, folder, labels);
  }

  /** What it will be once it is built. */
  RuntimeImage runtime() {
    return RuntimeImage.describedBy("", labels);
  }

  String dockerfile() {
    return folder + "/" + DOCKERFILE;
  }

  /**
   * SHA-256 over the paths and bytes of all that its image is made of, 64 hex digits.
   *
   * @throws ProblemException RUNTIME_UNAVAILABLE if it cannot be read
   */
  String digest() {
    MessageDigest sha256;
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
    try {
      for (Path file : files()) {
        String line = (Files.isExecutable(file) ? "x " : "- ") + checkout.relativize(file) + '\0';
        sha256.update(line.getBytes(UTF_8));
        sha256.update(Files.readAllBytes(file));
      }
    } catch (IOException e) {
      throw ProblemException.of(
          ProblemType.RUNTIME_UNAVAILABLE, folder + " cannot be read: " + e.getMessage() + ".", e);
    }
    return HexFormat.of().formatHex(sha256.digest());
  }

  /**
   * Refuses what the engine would fetch, or unpack, by itself: nobody could tell how much that
   * writes before it is there. What a command writes is counted.
   *
   * @throws ProblemException RUNTIME_UNAVAILABLE
   */
  void requireNoAdd() {
    try {
      String dockerfile = Files.readString(checkout.resolve(dockerfile()));
      if (ADD.matcher(instructions(dockerfile)).find()) {
        throw ProblemException.of(
            ProblemType.RUNTIME_UNAVAILABLE,
            dockerfile()
                + " has an ADD, of which nobody knows how much it writes: COPY what is in the"
                + " folder, and fetch and unpack in a RUN.");
      }
    } catch (IOException e) {
      throw ProblemException.of(
          ProblemType.RUNTIME_UNAVAILABLE,
          dockerfile() + " cannot be read: " + e.getMessage() + ".",
          e);
    }
  }

  /** Each on one line, as the builder puts them together. */
  private static String instructions(String dockerfile) {
    Matcher directive = ESCAPE.matcher(dockerfile);
    String escape = directive.lookingAt() ? directive.group(1) : "\\";
    return dockerfile
        .replaceAll("(?m)^[ \t]*(#.*)?\\R", "")
        .replaceAll(Pattern.quote(escape) + "[ \t]*\\R", "");
  }

  /** Writes the build's context as a tar, in the layout of the checkout. */
  void writeTo(OutputStream out) throws IOException {
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out, "UTF-8")) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      for (Path file : files()) {
        byte[] content = Files.readAllBytes(file);
        TarArchiveEntry entry = new TarArchiveEntry(checkout.relativize(file).toString());
        entry.setMode(Files.isExecutable(file) ? 0100755 : 0100644);
        entry.setSize(content.length);
        entry.setModTime(0);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
      }
    }
  }

  private List<Path> files() throws IOException {
    List<Path> files = new ArrayList<>(files(checkout.resolve(CERTIFICATES)));
    List<String> folders = new ArrayList<>(Labels.list(labels.get(Labels.RUNTIME_FOLDERS)));
    folders.add(folder);
    for (String each : folders) {
      files(checkout.resolve(each)).stream()
          .filter(file -> !file.toString().endsWith(".md"))
          .forEach(files::add);
    }
    Collections.sort(files);
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.size(file);
    }
    if (files.size() > MAX_FILES || bytes > MAX_BYTES) {
      throw new IOException(
          folder + " has more than " + MAX_FILES + " files or " + MAX_BYTES + " bytes");
    }
    return files;
  }

  /** Regular files only; the first of too many are enough to refuse them. */
  private static List<Path> files(Path root) throws IOException {
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    try (Stream<Path> found = Files.walk(root)) {
      return found
          .filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
          .filter(file -> Stream.of(file.toString().split("/")).noneMatch(LEFT_OUT::contains))
          .limit(MAX_FILES + 1L)
          .toList();
    }
  }
}
