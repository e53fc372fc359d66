package io.tinyfaas.manager.store;

import static io.tinyfaas.manager.problem.ProblemType.DEVICE_EXISTS;
import static io.tinyfaas.manager.problem.ProblemType.TOO_MANY;
import static io.tinyfaas.manager.problem.ProblemType.UNKNOWN_DEVICE;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.contract.control.DeviceTable;
import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.DeviceName;
import io.tinyfaas.contract.setting.SettingsCheck;
import io.tinyfaas.manager.files.FileTree;
import io.tinyfaas.manager.problem.ProblemException;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Which devices are registered, durable: a file for each, {@code devices/NAME.json}, beside the
 * functions of {@link FunctionStore}. Reads answer from memory. Every change that cannot be written
 * throws {@link ProblemException} (DISK_FULL or INTERNAL) and changes nothing; where it cannot be
 * taken back either, what the disk has is what holds.
 */
@ApplicationScoped
public class DeviceStore {

  /** They fit into one message (4 MiB). */
  private static final int MOST_DEVICES = 20_000;

  private static final Logger LOG = Logger.getLogger(DeviceStore.class);
  private static final String SUFFIX = ".json";
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .addModule(new Jdk8Module().configureReadAbsentAsNull(false))
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .build();

  private final Path folder;
  private final DurableFiles files;
  private final int max;
  private final ConcurrentSkipListMap<DeviceName, StoredDevice> devices =
      new ConcurrentSkipListMap<>();
  private final ReentrantLock changes = new ReentrantLock();

  /**
   * @param root of the store; created if it is not there
   * @param max devices that there may be, from 1 to {@value #MOST_DEVICES}
   * @throws ConfigurationException if it is not, or the folder cannot be used
   */
  @Inject
  public DeviceStore(
      @ConfigProperty(name = "tinyfaas.store") Path root,
      @ConfigProperty(name = "tinyfaas.max-devices") int max) {
    this(root, max, DurableFiles.ON_DISK);
  }

  DeviceStore(Path root, int max, DurableFiles files) {
    new SettingsCheck()
        .number("TINYFAAS_MAX_DEVICES", max, 1, MOST_DEVICES)
        .orThrow(ConfigurationException::new);
    this.folder = root.resolve("devices");
    this.files = files;
    this.max = max;
    try {
      files.createPrivate(folder);
      open();
    } catch (IOException e) {
      throw StoreFolder.unusable(folder, e);
    }
  }

  private void open() throws IOException {
    try (Stream<Path> found = Files.list(folder)) {
      for (Path file : found.toList()) {
        String name = file.getFileName().toString();
        if (name.startsWith(".")) {
          FunctionFolders.deleteSoon(file); // a write that power cut off
        } else if (name.endsWith(SUFFIX)) {
          read(file).ifPresent(device -> devices.put(device.name(), device));
        }
      }
    }
    for (StoredDevice device : List.copyOf(devices.values())) {
      if (device.credential() instanceof DeviceCredential.Authority) {
        excess(devices.values())
            .ifPresent(
                excess -> {
                  LOG.errorf(
                      "event=device-left-out device=%s reason=\"%s\"", device.name(), excess);
                  devices.remove(device.name());
                });
      }
    }
    if (!devices.isEmpty()) {
      LOG.infof("event=devices-opened folder=%s devices=%d", folder, devices.size());
    }
  }

  private static Optional<StoredDevice> read(Path file) {
    try {
      return Optional.of(JSON.readValue(file.toFile(), StoredDevice.class));
    } catch (IOException e) {
      LOG.errorf(
          "event=device-left-out file=%s reason=\"%s\": put it back from a backup, or register the"
              + " device again",
          file, String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
      return Optional.empty();
    }
  }

  public List<StoredDevice> list() {
    return List.copyOf(devices.values());
  }

  /**
   * @throws ProblemException UNKNOWN_DEVICE
   */
  public StoredDevice get(DeviceName name) {
    return Optional.ofNullable(devices.get(name)).orElseThrow(() -> unknown(name));
  }

  /**
   * @throws ProblemException DEVICE_EXISTS if its name, or its certificate, is registered; TOO_MANY
   */
  public void add(StoredDevice device) {
    changes.lock();
    try {
      if (devices.containsKey(device.name())) {
        throw ProblemException.of(
            DEVICE_EXISTS,
            "There is a device called "
                + device.name()
                + ": DELETE it first, which ends its sessions, or take another name.");
      }
      if (!(device.credential() instanceof DeviceCredential.Psk)) {
        devices.values().stream()
            .filter(other -> other.credential().equals(device.credential()))
            .findFirst()
            .ifPresent(
                other -> {
                  throw ProblemException.of(
                      DEVICE_EXISTS, "This certificate is registered as " + other.name() + ".");
                });
      }
      if (devices.size() >= max) {
        throw ProblemException.of(
            TOO_MANY,
            "There are "
                + max
                + " devices: delete some, register the authority that issues their certificates,"
                + " or raise TINYFAAS_MAX_DEVICES.");
      }
      requireRoom(device);
      write(device);
      devices.put(device.name(), device);
    } catch (IOException e) {
      if (e instanceof DurableFiles.NotSyncedException) {
        delete(device.name(), e);
      }
      takeFromDisk(device);
      throw ProblemException.ofDisk("registering the device", e);
    } finally {
      changes.unlock();
    }
  }

  private void requireRoom(StoredDevice more) {
    excess(Stream.concat(list().stream(), Stream.of(more)).toList())
        .ifPresent(
            excess -> {
              throw ProblemException.of(
                  TOO_MANY,
                  "With this one "
                      + excess
                      + ", more than the gateway can hold: delete some, or use certificates that"
                      + " are smaller.");
            });
  }

  /** Why the gateway cannot be told of so many, if it cannot. */
  private static Optional<String> excess(Collection<StoredDevice> devices) {
    try {
      new DeviceTable(Revision.NONE, devices.stream().map(StoredDevice::device).toList());
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.of(e.getMessage());
    }
  }

  /**
   * @throws ProblemException UNKNOWN_DEVICE
   */
  public void remove(DeviceName name) {
    changes.lock();
    try {
      StoredDevice device = get(name);
      remove(device);
    } catch (IOException e) {
      throw ProblemException.ofDisk("revoking the device", e);
    } finally {
      changes.unlock();
    }
  }

  private void remove(StoredDevice device) throws IOException {
    try {
      FileTree.delete(file(device.name()));
      files.sync(folder);
      devices.remove(device.name());
    } catch (IOException e) {
      writeAgain(device, e);
      takeFromDisk(device);
      throw e;
    }
  }

  private void write(StoredDevice device) throws IOException {
    files.replace(file(device.name()), JSON.writeValueAsBytes(device));
  }

  private void writeAgain(StoredDevice device, IOException failure) {
    if (!Files.exists(file(device.name()))) {
      try {
        write(device);
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
  }

  private void delete(DeviceName name, IOException failure) {
    try {
      Files.deleteIfExists(file(name));
      files.sync(folder);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  /** After a change that failed and was taken back, if that could be. */
  private void takeFromDisk(StoredDevice device) {
    if (Files.isRegularFile(file(device.name()))) {
      devices.put(device.name(), device);
    } else {
      devices.remove(device.name());
    }
  }

  private Path file(DeviceName name) {
    return folder.resolve(name + SUFFIX);
  }

  private static ProblemException unknown(DeviceName name) {
    return ProblemException.of(
        UNKNOWN_DEVICE, "There is no device called " + name + ": GET /devices shows all.");
  }
}
