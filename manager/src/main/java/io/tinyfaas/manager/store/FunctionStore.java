package io.tinyfaas.manager.store;

import static io.tinyfaas.manager.problem.ProblemType.TOO_MANY;
import static io.tinyfaas.manager.problem.ProblemType.UNKNOWN_VERSION;
import static java.nio.charset.StandardCharsets.US_ASCII;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.setting.SettingsCheck;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.store.StoredFunction.Pointer;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * What should run, durable: files that survive power cuts.
 *
 * <pre>
 * epoch                                the last life of a manager
 * functions/NAME/active.json           which version is active, which ones were
 * functions/NAME/versions/3/           one immutable version: version.json, archive.zip
 * uploads/                             archives under way; emptied at start
 * </pre>
 *
 * A version's folder is written whole under another name, synced, then renamed; a pointer is
 * replaced the same way. Whatever begins with a dot is unfinished and removed at start, as is a
 * version that never became active. Reads answer from memory; changes of one function wait for each
 * other. Every change that cannot be written throws {@link ProblemException} (DISK_FULL or
 * INTERNAL) and changes nothing.
 */
@Startup
@ApplicationScoped
public class FunctionStore implements AutoCloseable {

  /** Their routes fit into one message (4 MiB). */
  private static final int MOST_FUNCTIONS = 10_000;

  /** How many versions that were once active are kept for a rollback. */
  public static final int KEPT_VERSIONS = 10;

  private static final Logger LOG = Logger.getLogger(FunctionStore.class);
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  private final Path root;
  private final Path uploads;
  private final Path functionsFolder;
  private final int maxFunctions;
  private final FileChannel lockFile;
  private final Map<FunctionName, StoredFunction> functions = new ConcurrentHashMap<>();
  private final List<ReentrantLock> locks =
      IntStream.range(0, 64).mapToObj(i -> new ReentrantLock()).toList();
  private final ReentrantLock epochLock = new ReentrantLock();

  /**
   * @param root is created if it is not there
   * @param maxFunctions that there may be, from 1 to {@value #MOST_FUNCTIONS}
   * @throws ConfigurationException if it is not, the folder cannot be used or another manager uses
   *     it
   */
  @Inject
  public FunctionStore(
      @ConfigProperty(name = "tinyfaas.store") Path root,
      @ConfigProperty(name = "tinyfaas.max-functions") int maxFunctions) {
    new SettingsCheck()
        .number("TINYFAAS_MAX_FUNCTIONS", maxFunctions, 1, MOST_FUNCTIONS)
        .orThrow(ConfigurationException::new);
    this.root = root;
    this.uploads = root.resolve("uploads");
    this.functionsFolder = root.resolve("functions");
    this.maxFunctions = maxFunctions;
    try {
      // Specifications hold people's secrets.
      Files.createDirectories(
          functionsFolder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      lockFile = lock(root.resolve("lock"));
      DurableFiles.deleteTree(uploads);
      Files.createDirectories(uploads);
      DurableFiles.sync(root);
      open();
    } catch (IOException e) {
      // Without the cause, of which Quarkus would print the stack instead of this.
      throw new ConfigurationException(
          "The store "
              + root.toAbsolutePath()
              + " cannot be used ("
              + e
              + "): mount a folder that the manager may write, or name another one with"
              + " TINYFAAS_STORE.");
    }
  }

  private static FileChannel lock(Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() != null) {
        return channel;
      }
    } catch (OverlappingFileLockException e) {
      // held in this process
    }
    channel.close();
    throw new IOException("another manager is using it");
  }

  private void open() throws IOException {
    try (Stream<Path> folders = Files.list(functionsFolder)) {
      for (Path folder : folders.toList()) {
        String name = folder.getFileName().toString();
        if (FunctionName.isValid(name) && Files.isDirectory(folder)) {
          open(new FunctionName(name), folder);
        } else if (name.startsWith(".")) {
          DurableFiles.deleteTree(folder);
        }
      }
    }
    LOG.infof("event=store-opened folder=%s functions=%d", root, functions.size());
  }

  private void open(FunctionName function, Path folder) throws IOException {
    Files.deleteIfExists(folder.resolve(".active.json.new"));
    List<Integer> numbers = new ArrayList<>();
    Path versionsFolder = folder.resolve("versions");
    if (Files.isDirectory(versionsFolder)) {
      try (Stream<Path> versions = Files.list(versionsFolder)) {
        for (Path version : versions.toList()) {
          String name = version.getFileName().toString();
          if (name.matches("[1-9]\\d{0,8}")) {
            numbers.add(Integer.valueOf(name));
          } else if (name.startsWith(".")) {
            DurableFiles.deleteTree(version);
          }
        }
      }
    }
    Pointer pointer = readPointer(function, folder, numbers.stream().sorted().toList());
    Map<Integer, FunctionVersion> versions = new TreeMap<>();
    for (int number : numbers) {
      if (pointer.history().contains(number)) {
        readVersion(function, number).ifPresent(version -> versions.put(number, version));
      } else {
        DurableFiles.deleteTree(versionFolder(function, number));
      }
    }
    if (pointer.history().isEmpty()) {
      DurableFiles.deleteTree(folder);
      return;
    }
    StoredFunction stored = new StoredFunction(pointer, versions);
    functions.put(function, stored);
    if (stored.active().isEmpty()) {
      LOG.errorf(
          "event=function-left-out function=%s version=%d kept=%s: its active version cannot be read"
              + " from %s. Deploy it again, or put the folder back"
              + " from a backup and restart the manager.",
          function, pointer.active(), versions.keySet(), folder);
    }
  }

  private static Pointer readPointer(FunctionName function, Path folder, List<Integer> numbers) {
    Path file = folder.resolve("active.json");
    int highest = numbers.isEmpty() ? 0 : numbers.getLast();
    if (numbers.isEmpty() && !Files.exists(file)) {
      return Pointer.NONE;
    }
    try {
      Pointer pointer = JSON.readValue(file.toFile(), Pointer.class);
      return pointer.withHighest(Math.max(pointer.highest(), highest));
    } catch (IOException e) {
      // Which versions were active is lost with it; rather keep them all than remove a good one.
      LOG.errorf("event=unreadable file=%s reason=%s", file, e.getMessage());
      return new Pointer(0, numbers, highest);
    }
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

  /**
   * A folder for archives under way, on the file system of the store so that they can be linked.
   */
  public Path uploads() {
    return uploads;
  }

  /**
   * Grows at each call, durable before it returns: the life of this manager.
   *
   * @param atLeast what others have seen, if the store was lost meanwhile
   */
  public long nextEpoch(long atLeast) {
    Path file = root.resolve("epoch");
    epochLock.lock();
    try {
      long next = Math.max(Math.addExact(readEpoch(file), 1), atLeast);
      DurableFiles.replace(file, Long.toString(next).getBytes(US_ASCII));
      return next;
    } catch (IOException e) {
      throw ProblemException.ofDisk("writing " + file, e);
    } finally {
      epochLock.unlock();
    }
  }

  private static long readEpoch(Path file) throws IOException {
    if (!Files.exists(file)) {
      return 0;
    }
    try {
      return Long.parseLong(Files.readString(file, US_ASCII).strip());
    } catch (NumberFormatException e) {
      // The clock is ahead of any count of starts, so the epoch still grows.
      long now = Instant.now().getEpochSecond();
      LOG.errorf("event=unreadable file=%s reason=%s using=%d", file, e.getMessage(), now);
      return now;
    }
  }

  /** Functions that have a readable active version, by name. */
  public List<FunctionName> functions() {
    return functions.entrySet().stream()
        .filter(entry -> entry.getValue().active().isPresent())
        .map(Map.Entry::getKey)
        .sorted()
        .toList();
  }

  public Optional<FunctionVersion> active(FunctionName function) {
    return stored(function).active();
  }

  /**
   * Whether the function is here, but its active version cannot be read: nothing of it may be
   * removed, since what runs may be the last there is of it.
   */
  public boolean isLeftOut(FunctionName function) {
    StoredFunction stored = stored(function);
    return stored.active().isEmpty() && !stored.pointer().history().isEmpty();
  }

  /** The version that was active before the present one, if it is kept. */
  public Optional<FunctionVersion> previous(FunctionName function) {
    return stored(function).previous();
  }

  /** All kept versions that were once active, by number. */
  public List<FunctionVersion> versions(FunctionName function) {
    return stored(function).onceActive();
  }

  private StoredFunction stored(FunctionName function) {
    return functions.getOrDefault(function, StoredFunction.NEW);
  }

  /**
   * Stores a candidate durably: not active, and gone after a crash until {@link #activate}. Links
   * the archive where it can, else copies it, so {@code archive} must not be written again.
   *
   * @throws ProblemException TOO_MANY if there is no room for another function, DISK_FULL
   */
  public FunctionVersion add(
      FunctionName function, FunctionSpec spec, String archiveDigest, Path archive) {
    ReentrantLock lock = lock(function);
    try {
      reserve(function);
      StoredFunction before = stored(function);
      FunctionVersion version =
          new FunctionVersion(
              function,
              before.pointer().highest() + 1,
              spec,
              archiveDigest,
              Instant.now().truncatedTo(ChronoUnit.MILLIS));
      try {
        if (before.equals(StoredFunction.NEW)) {
          Files.createDirectories(functionFolder(function).resolve("versions"));
          DurableFiles.sync(functionFolder(function));
          DurableFiles.sync(functionsFolder);
        }
        writePointer(function, before.pointer().withHighest(version.number()));
        write(version, archiveFor(before, archiveDigest).orElse(archive));
        functions.put(function, stored(function).with(version));
        return version;
      } catch (IOException e) {
        forgetIfEmpty(function);
        throw ProblemException.ofDisk("storing the new version of " + function, e);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Takes a place for a new function, so that two at once cannot both take the last one. */
  private synchronized void reserve(FunctionName function) {
    if (!functions.containsKey(function) && functions.size() >= maxFunctions) {
      throw ProblemException.of(
          TOO_MANY,
          "There are "
              + maxFunctions
              + " functions, as many as this manager takes: delete one, or raise"
              + " TINYFAAS_MAX_FUNCTIONS.");
    }
    functions.putIfAbsent(function, StoredFunction.NEW);
  }

  private void write(FunctionVersion version, Path archive) throws IOException {
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
      DurableFiles.sync(written.resolve("version.json"));
      DurableFiles.sync(written.resolve("archive.zip"));
      DurableFiles.sync(written);
      DurableFiles.rename(written, folder);
    } catch (IOException e) {
      DurableFiles.deleteTree(written);
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

  private Optional<Path> archiveFor(StoredFunction stored, String digest) {
    return stored.versions().values().stream()
        .filter(version -> version.archiveDigest().equals(digest))
        .map(this::archive)
        .findFirst();
  }

  /** The archive (checked zip) of a stored version. */
  public Path archive(FunctionVersion version) {
    return versionFolder(version.function(), version.number()).resolve("archive.zip");
  }

  /**
   * Makes a candidate or an earlier version the active one, durable before it returns; prunes the
   * oldest beyond {@link #KEPT_VERSIONS}.
   *
   * @throws ProblemException UNKNOWN_VERSION if it was removed meanwhile, DISK_FULL
   */
  public void activate(FunctionVersion version) {
    FunctionName function = version.function();
    ReentrantLock lock = lock(function);
    try {
      StoredFunction before = stored(function);
      if (!version.equals(before.versions().get(version.number()))) {
        throw ProblemException.of(
            UNKNOWN_VERSION,
            "Version "
                + version.number()
                + " of "
                + function
                + " was removed meanwhile: deploy it again.");
      }
      Pointer pointer = before.pointer().withActive(version.number(), KEPT_VERSIONS);
      writePointer(function, pointer);
      for (int number : before.pointer().history()) {
        if (!pointer.history().contains(number)) {
          functions.put(function, stored(function).without(number));
          deleteSoon(versionFolder(function, number));
        }
      }
    } catch (IOException e) {
      throw ProblemException.ofDisk("making the new version of " + function + " active", e);
    } finally {
      lock.unlock();
    }
  }

  /** Removes a candidate that did not become active. Does nothing if it is gone or is active. */
  public void discard(FunctionVersion candidate) {
    FunctionName function = candidate.function();
    ReentrantLock lock = lock(function);
    try {
      StoredFunction before = stored(function);
      if (candidate.equals(before.versions().get(candidate.number()))
          && !before.pointer().history().contains(candidate.number())) {
        functions.put(function, before.without(candidate.number()));
        deleteSoon(versionFolder(function, candidate.number()));
        forgetIfEmpty(function);
      }
    } finally {
      lock.unlock();
    }
  }

  private void forgetIfEmpty(FunctionName function) {
    StoredFunction stored = stored(function);
    if (stored.versions().isEmpty() && stored.pointer().history().isEmpty()) {
      functions.remove(function);
      deleteSoon(functionFolder(function));
    }
  }

  /**
   * Removes the function with all versions, durable before it returns. Nothing if it is unknown.
   */
  public void remove(FunctionName function) {
    ReentrantLock lock = lock(function);
    try {
      if (!functions.containsKey(function)) {
        return;
      }
      Path away = functionsFolder.resolve(".deleted-" + function);
      DurableFiles.deleteTree(away);
      DurableFiles.rename(functionFolder(function), away);
      functions.remove(function);
      deleteSoon(away);
    } catch (IOException e) {
      throw ProblemException.ofDisk("removing " + function, e);
    } finally {
      lock.unlock();
    }
  }

  /** Deletes what is no longer referred to; what stays because of a failure goes at next start. */
  private static void deleteSoon(Path folder) {
    try {
      DurableFiles.deleteTree(folder);
    } catch (IOException e) {
      LOG.warnf("event=not-deleted folder=%s reason=%s", folder, e.getMessage());
    }
  }

  private void writePointer(FunctionName function, Pointer pointer) throws IOException {
    DurableFiles.replace(
        functionFolder(function).resolve("active.json"), JSON.writeValueAsBytes(pointer));
    functions.put(function, stored(function).with(pointer));
  }

  private ReentrantLock lock(FunctionName function) {
    ReentrantLock lock = locks.get(Math.floorMod(function.hashCode(), locks.size()));
    lock.lock();
    return lock;
  }

  private Path functionFolder(FunctionName function) {
    return functionsFolder.resolve(function.value());
  }

  private Path versionFolder(FunctionName function, int number) {
    return functionFolder(function).resolve("versions").resolve(Integer.toString(number));
  }

  /** Lets another manager open the folder. */
  @Override
  @PreDestroy
  public void close() {
    try {
      lockFile.close();
    } catch (IOException e) {
      LOG.warnf("event=not-unlocked folder=%s reason=%s", root, e.getMessage());
    }
  }
}
