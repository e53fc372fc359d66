package io.tinyfaas.manager.store;

import static io.tinyfaas.manager.problem.ProblemType.TOO_MANY;
import static io.tinyfaas.manager.problem.ProblemType.UNKNOWN_VERSION;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.setting.SettingsCheck;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.store.StoredFunction.Pointer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * What should run, durable. Reads answer from memory, changes are in {@link FunctionFolders} before
 * they are there; changes of one function wait for each other. Every change that cannot be written
 * throws {@link ProblemException} (DISK_FULL or INTERNAL) and changes nothing. Where a disk fails
 * so that a change can neither be made durable nor taken back, what can be read there is what
 * holds, for memory, too.
 */
@Startup
@ApplicationScoped
public class FunctionStore {

  /** Their routes fit into one message (4 MiB). */
  private static final int MOST_FUNCTIONS = 10_000;

  /** How many versions that were once active are kept for a rollback. */
  public static final int KEPT_VERSIONS = 10;

  private static final Logger LOG = Logger.getLogger(FunctionStore.class);

  private final FunctionFolders folders;
  private final int maxFunctions;
  private final Map<FunctionName, StoredFunction> functions = new ConcurrentHashMap<>();
  private final List<ReentrantLock> locks =
      IntStream.range(0, 64).mapToObj(i -> new ReentrantLock()).toList();

  /**
   * @param maxFunctions that there may be, from 1 to {@value #MOST_FUNCTIONS}
   * @throws ConfigurationException if it is not, or the folder cannot be read
   */
  @Inject
  public FunctionStore(
      StoreFolder folder, @ConfigProperty(name = "tinyfaas.max-functions") int maxFunctions) {
    this(folder, maxFunctions, DurableFiles.ON_DISK);
  }

  FunctionStore(StoreFolder folder, int maxFunctions, DurableFiles files) {
    new SettingsCheck()
        .number("TINYFAAS_MAX_FUNCTIONS", maxFunctions, 1, MOST_FUNCTIONS)
        .orThrow(ConfigurationException::new);
    this.maxFunctions = maxFunctions;
    this.folders = new FunctionFolders(folder.functions(), files);
    try {
      functions.putAll(folders.open());
    } catch (IOException e) {
      throw StoreFolder.unusable(folder.root(), e);
    }
    LOG.infof("event=store-opened folder=%s functions=%d", folder.root(), functions.size());
    if (functions.containsKey(FunctionName.CALLS)) {
      LOG.warnf(
          "event=function-name-taken function=%s reason=\"the gateway itself answers at /%s: deploy it"
              + " under another name, then delete this one\"",
          FunctionName.CALLS, FunctionName.CALLS);
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
  public boolean isUnreadable(FunctionName function) {
    StoredFunction stored = stored(function);
    return stored.active().isEmpty() && !stored.pointer().history().isEmpty();
  }

  /** The version that was deployed before the present one, if it is kept. */
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
          folders.create(function);
        }
        writePointer(function, before.pointer().withHighest(version.number()));
        folders.writeVersion(version, archiveFor(before, archiveDigest).orElse(archive));
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

  private Optional<Path> archiveFor(StoredFunction stored, String digest) {
    return stored.versions().values().stream()
        .filter(version -> version.archiveDigest().equals(digest))
        .map(this::archive)
        .findFirst();
  }

  /** The archive (checked zip) of a stored version. */
  public Path archive(FunctionVersion version) {
    return folders.archive(version);
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
      Pointer pointer = before.activating(version, KEPT_VERSIONS);
      writePointer(function, pointer);
      for (int number : before.pointer().history()) {
        if (!pointer.history().contains(number)) {
          functions.put(function, stored(function).without(number));
          folders.deleteSoon(function, number);
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
        folders.deleteCandidate(function, candidate.number());
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
      folders.deleteUnused(function);
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
      Path away = folders.setAside(function);
      functions.remove(function);
      FunctionFolders.deleteSoon(away);
    } catch (IOException e) {
      if (!folders.isThere(function)) {
        functions.remove(function);
      }
      throw ProblemException.ofDisk("removing " + function, e);
    } finally {
      lock.unlock();
    }
  }

  private void writePointer(FunctionName function, Pointer pointer) throws IOException {
    try {
      folders.writePointer(function, pointer);
      functions.put(function, stored(function).with(pointer));
    } catch (DurableFiles.NotSyncedException e) {
      takeBack(function, e);
      throw e;
    }
  }

  /** What is active is to be the same for whoever reads the disk and whoever asks here. */
  private void takeBack(FunctionName function, IOException failure) {
    try {
      folders.writePointer(function, stored(function).pointer());
    } catch (IOException e) {
      failure.addSuppressed(e);
      try {
        functions.put(function, stored(function).with(folders.pointer(function)));
      } catch (IOException unreadable) {
        failure.addSuppressed(unreadable);
      }
      LOG.errorf(
          "event=not-taken-back function=%s active=%d reason=\"%s\"",
          function, stored(function).pointer().active(), e.getMessage());
    }
  }

  private ReentrantLock lock(FunctionName function) {
    ReentrantLock lock = locks.get(Math.floorMod(function.hashCode(), locks.size()));
    lock.lock();
    return lock;
  }
}
