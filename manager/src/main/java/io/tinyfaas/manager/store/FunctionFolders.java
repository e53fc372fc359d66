package io.tinyfaas.manager.store;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.files.FileTree;
import io.tinyfaas.manager.spec.FunctionSpecJson;
import io.tinyfaas.manager.store.StoredFunction.Pointer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * The functions' files, which survive power cuts. They remember nothing; who calls sees to it that
 * nobody else changes the function meanwhile.
 *
 * <pre>
 * NAME/active.json           which version is active, which ones were, and before which
 * NAME/versions/3/           one immutable version: version.json, archive.zip
 * </pre>
 *
 * A version's folder is written whole under another name, synced, then renamed; a pointer is
 * replaced the same way. Whatever begins with a dot is unfinished and removed at start, as is a
 * version that never became active. What a method has written is durable when it returns.
 */
final class FunctionFolders {

  private static final Logger LOG = Logger.getLogger(FunctionFolders.class);
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  private final Path root;
  private final DurableFiles files;

  /**
   * @param root of all of them, and of nothing else
   */
  FunctionFolders(Path root, DurableFiles files) {
    this.root = root;
    this.files = files;
  }

  /**
   * Reads what there is, and removes what an earlier life left unfinished, where the disk lets it.
   */
  Map<FunctionName, StoredFunction> open() throws IOException {
    Map<FunctionName, StoredFunction> functions = new HashMap<>();
    try (Stream<Path> folders = Files.list(root)) {
      for (Path folder : folders.toList()) {
        String name = folder.getFileName().toString();
        if (FunctionName.isValid(name) && Files.isDirectory(folder)) {
          FunctionName function = new FunctionName(name);
          open(function, folder).ifPresent(stored -> functions.put(function, stored));
        } else if (name.startsWith(".")) {
          deleteSoon(folder);
        }
      }
    }
    return functions;
  }

  private Optional<StoredFunction> open(FunctionName function, Path folder) throws IOException {
    deleteSoon(folder.resolve(".active.json.new"));
    List<Integer> numbers = new ArrayList<>();
    Path versionsFolder = folder.resolve("versions");
    if (Files.isDirectory(versionsFolder)) {
      try (Stream<Path> versions = Files.list(versionsFolder)) {
        for (Path version : versions.toList()) {
          String name = version.getFileName().toString();
          if (name.matches("[1-9]\\d{0,8}")) {
            numbers.add(Integer.valueOf(name));
          } else if (name.startsWith(".")) {
            deleteSoon(version);
          }
        }
      }
    }
    Pointer pointer = readPointer(function, numbers.stream().sorted().toList());
    Map<Integer, FunctionVersion> versions = new TreeMap<>();
    for (int number : numbers) {
      if (pointer.history().contains(number)) {
        readVersion(function, number).ifPresent(version -> versions.put(number, version));
      } else {
        deleteSoon(function, number);
      }
    }
    if (pointer.history().isEmpty()) {
      deleteSoon(folder);
      return Optional.empty();
    }
    StoredFunction stored = new StoredFunction(pointer, versions);
    if (pointer.active() == 0 && !versions.isEmpty()) {
      int newest = Collections.max(versions.keySet());
      LOG.errorf(
          "event=version-guessed function=%s version=%d kept=%s: which one is active cannot be read"
              + " from %s. Deploy or roll back what should run instead.",
          function, newest, versions.keySet(), pointerFile(function));
      stored = stored.with(Pointer.byNumbers(newest, numbers, pointer.highest()));
    }
    if (stored.active().isEmpty()) {
      LOG.errorf(
          "event=function-left-out function=%s version=%d kept=%s: its active version cannot be"
              + " read from %s. Deploy it again, or put the folder back from a backup and restart"
              + " the manager.",
          function, pointer.active(), versions.keySet(), folder);
    }
    return Optional.of(stored);
  }

  private Pointer readPointer(FunctionName function, List<Integer> numbers) {
    Path file = pointerFile(function);
    int highest = numbers.isEmpty() ? 0 : numbers.getLast();
    if (numbers.isEmpty() && !Files.exists(file)) {
      return Pointer.NONE;
    }
    try {
      Pointer pointer = read(file);
      return pointer.withHighest(Math.max(pointer.highest(), highest));
    } catch (IOException e) {
      // Which versions were active is lost with it: all of them are kept, and the newest is served.
      LOG.errorf("event=unreadable file=%s reason=%s", file, e.getMessage());
      return Pointer.byNumbers(0, numbers, highest);
    }
  }

  private static Pointer read(Path pointer) throws IOException {
    if (!(JSON.readTree(pointer.toFile()) instanceof ObjectNode object)) {
      throw new IOException("it is no JSON object");
    }
    if (object.has("before")) {
      return JSON.treeToValue(object, Pointer.class);
    }
    // Of a manager that did not write it.
    object.putObject("before");
    Pointer read = JSON.treeToValue(object, Pointer.class);
    return Pointer.byNumbers(read.active(), read.history(), read.highest());
  }

  private Optional<FunctionVersion> readVersion(FunctionName function, int number) {
    Path folder = versionFolder(function, number);
    try {
      Stored stored = JSON.readValue(folder.resolve("version.json").toFile(), Stored.class);
      if (stored.number() != number || !stored.function().equals(function)) {
        throw new IOException("it is of " + stored.function() + " " + stored.number());
      }
      if (!Files.isRegularFile(folder.resolve("archive.zip"))) {
        throw new IOException("archive.zip is missing");
      }
      return Optional.of(
          new FunctionVersion(
              function,
              number,
              FunctionSpecJson.read(stored.spec()),
              stored.archiveDigest(),
              Instant.parse(stored.created())));
    } catch (IOException | RuntimeException e) {
      LOG.errorf(
          "event=unreadable function=%s version=%d folder=%s reason=%s",
          function, number, folder, e);
      return Optional.empty();
    }
  }

  /** The content of {@code version.json}. */
  private record Stored(
      FunctionName function, int number, ObjectNode spec, String archiveDigest, String created) {}

  /** A place for a function's first version. */
  void create(FunctionName function) throws IOException {
    if (!Files.isDirectory(functionFolder(function))) {
      FileTree.delete(functionFolder(function)); // no folder can take its place
    }
    Files.createDirectories(functionFolder(function).resolve("versions"));
    files.sync(functionFolder(function));
    files.sync(root);
  }

  /**
   * @throws DurableFiles.NotSyncedException if the new one is there, for as long as there is power
   */
  void writePointer(FunctionName function, Pointer pointer) throws IOException {
    files.replace(pointerFile(function), JSON.writeValueAsBytes(pointer));
  }

  /** As it is there now, whether or not it survives a power cut. */
  Pointer pointer(FunctionName function) throws IOException {
    Path file = pointerFile(function);
    return Files.exists(file) ? read(file) : Pointer.NONE;
  }

  /**
   * Links the archive where it can, else copies it. Nothing is left of a version that fails.
   *
   * @param version of a number that the pointer has as the highest, so that what is there of it was
   *     never active
   */
  void writeVersion(FunctionVersion version, Path archive) throws IOException {
    Path folder = versionFolder(version.function(), version.number());
    Path written = folder.resolveSibling(".new-" + version.number());
    try {
      Files.createDirectory(written);
      Stored stored =
          new Stored(
              version.function(),
              version.number(),
              FunctionSpecJson.write(version.spec()),
              version.archiveDigest(),
              version.created().toString());
      Files.write(written.resolve("version.json"), JSON.writeValueAsBytes(stored));
      link(archive, written.resolve("archive.zip"));
      files.sync(written.resolve("version.json"));
      files.sync(written.resolve("archive.zip"));
      files.sync(written);
      FileTree.delete(folder);
      files.rename(written, folder);
    } catch (IOException e) {
      deleteSoon(written);
      deleteSoon(folder);
      throw e;
    }
  }

  private static void link(Path from, Path to) throws IOException {
    try {
      Files.createLink(to, from);
    } catch (IOException | UnsupportedOperationException e) {
      Files.copy(from, to);
    }
  }

  /** The archive (checked zip) of a stored version. */
  Path archive(FunctionVersion version) {
    return versionFolder(version.function(), version.number()).resolve("archive.zip");
  }

  /**
   * For good, before anything of it is deleted; its files go to the folder that is returned.
   *
   * @throws IOException if that failed; {@link #isThere} says whether it is where it was
   */
  Path setAside(FunctionName function) throws IOException {
    Path away = root.resolve(".deleted-" + function);
    FileTree.delete(away);
    try {
      files.rename(functionFolder(function), away);
    } catch (DurableFiles.NotSyncedException e) {
      putBack(away, functionFolder(function), e);
      throw e;
    }
    return away;
  }

  private void putBack(Path away, Path folder, IOException failure) {
    try {
      files.rename(away, folder);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  boolean isThere(FunctionName function) {
    return Files.isDirectory(functionFolder(function));
  }

  /** Deletes a version, or does so at the next start if it cannot be told that none needs it. */
  void deleteCandidate(FunctionName function, int number) {
    if (isNamed(function, pointer -> pointer.history().contains(number))) {
      LOG.warnf("event=not-deleted function=%s version=%d outcome=next-start", function, number);
    } else {
      deleteSoon(function, number);
    }
  }

  /** The same of a function without any version that was ever active. */
  void deleteUnused(FunctionName function) {
    if (isNamed(function, pointer -> !pointer.history().isEmpty())) {
      LOG.warnf("event=not-deleted function=%s outcome=next-start", function);
    } else {
      deleteSoon(functionFolder(function));
    }
  }

  /** Also after a power cut, and if that cannot be told. */
  private boolean isNamed(FunctionName function, Predicate<Pointer> names) {
    Path folder = functionFolder(function);
    if (!Files.exists(folder)) {
      return false;
    }
    try {
      files.sync(folder);
      return names.test(pointer(function));
    } catch (IOException e) {
      return true;
    }
  }

  void deleteSoon(FunctionName function, int number) {
    deleteSoon(versionFolder(function, number));
  }

  /** Deletes what is no longer referred to; what stays because of a failure goes at next start. */
  static void deleteSoon(Path folder) {
    try {
      FileTree.delete(folder);
    } catch (IOException e) {
      LOG.warnf("event=not-deleted folder=%s reason=%s", folder, e.getMessage());
    }
  }

  private Path pointerFile(FunctionName function) {
    return functionFolder(function).resolve("active.json");
  }

  private Path functionFolder(FunctionName function) {
    return root.resolve(function.value());
  }

  private Path versionFolder(FunctionName function, int number) {
    return functionFolder(function).resolve("versions").resolve(Integer.toString(number));
  }
}
