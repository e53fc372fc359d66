package io.tinyfaas.gateway.device;

import io.tinyfaas.contract.control.DeviceTable;
import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.device.Device;
import io.tinyfaas.contract.device.DeviceCredential.Authority;
import io.tinyfaas.contract.device.DeviceCredential.Certificate;
import io.tinyfaas.contract.device.DeviceCredential.Psk;
import io.tinyfaas.contract.device.KeySeal;
import io.tinyfaas.gateway.loop.BugLog;
import io.tinyfaas.gateway.memory.TableMemory;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.jboss.logging.Logger;

/**
 * Who may connect: an immutable snapshot, swapped whole, read from any thread without a lock. Keys
 * stay sealed until a handshake needs one.
 */
@Singleton
public final class CurrentDevices {

  private static final Logger LOG = Logger.getLogger(CurrentDevices.class);

  private static final BugLog BUGS = new BugLog(LOG, "device-listener-failed");

  /**
   * @param byName also the devices' identities with a key
   * @param byFingerprint of certificates
   */
  private record Snapshot(
      Revision revision,
      Map<String, Device> byName,
      Map<String, Device> byFingerprint,
      Map<X509Certificate, Device> authorities) {}

  private final TableMemory memory;
  private final Optional<KeySeal> seal;
  private final List<BooleanSupplier> listeners = new CopyOnWriteArrayList<>();
  private final List<Runnable> appliedListeners = new CopyOnWriteArrayList<>();
  private volatile Snapshot current = new Snapshot(Revision.NONE, Map.of(), Map.of(), Map.of());

  private volatile Revision applied = Revision.NONE;

  @Inject
  CurrentDevices(TableMemory memory, DeviceSettings settings) {
    this(memory, settings.deviceKeyFile().flatMap(CurrentDevices::read));
  }

  CurrentDevices(TableMemory memory, Optional<KeySeal> seal) {
    this.memory = memory;
    this.seal = seal;
  }

  private static Optional<KeySeal> read(Path file) {
    try {
      return Optional.of(KeySeal.read(file));
    } catch (IOException e) {
      LOG.errorf("event=device-key-unreadable reason=\"%s\": no device with a key can connect", e);
      return Optional.empty();
    }
  }

  /** Runs after each table that is applied, on the thread that applies it. */
  public void addListener(Runnable listener) {
    applyAfter(
        () -> {
          listener.run();
          return true;
        });
  }

  /**
   * The same for what has to be done before devices can connect.
   *
   * @param listener false if it could not do its part: the table is not confirmed then
   */
  public void applyAfter(BooleanSupplier listener) {
    listeners.add(listener);
  }

  /** Runs after each table that is applied. */
  public void onApplied(Runnable listener) {
    appliedListeners.add(listener);
  }

  /** Of the newest table; its devices may not be able to connect yet. */
  public Revision revision() {
    return current.revision;
  }

  /** Of the table by which devices are let in. */
  public Revision applied() {
    return applied;
  }

  public boolean isEmpty() {
    return current.byName.isEmpty();
  }

  /** Whether the device that this was proved to be is still registered as it was then. */
  public boolean isCurrent(DeviceIdentity identity) {
    Device device = identity.device();
    return device.equals(current.byName.get(device.name().value()));
  }

  /** The device with this name, if it has a key. */
  public Optional<Device> withKey(String name) {
    return Optional.ofNullable(current.byName.get(name))
        .filter(device -> device.credential() instanceof Psk);
  }

  /**
   * @return empty if the device has none, or one that this gateway cannot unseal
   */
  public Optional<byte[]> key(Device device) {
    return device.credential() instanceof Psk psk
        ? seal.flatMap(with -> with.open(device.name(), psk))
        : Optional.empty();
  }

  public Optional<Device> withCertificate(String fingerprint) {
    return Optional.ofNullable(current.byFingerprint.get(fingerprint));
  }

  /** Those whose certificates are devices, by their own certificate. */
  public Map<X509Certificate, Device> authorities() {
    return current.authorities;
  }

  /**
   * Lets devices in by this table from now on.
   *
   * @return false if the table is not newer than the current one, which then stays
   * @throws IllegalArgumentException if there is too little memory for it; the current one stays
   */
  boolean apply(DeviceTable table) {
    synchronized (this) {
      if (!table.revision().isNewerThan(current.revision)) {
        return false;
      }
      memory.holdDevices(table.devices().size());
      current = snapshot(table);
    }
    confirm();
    return true;
  }

  private static boolean didItsPart(BooleanSupplier listener) {
    try {
      return listener.getAsBoolean();
    } catch (RuntimeException bug) {
      BUGS.say(bug);
      return false;
    }
  }

  /** To be called again when a listener can do its part that could not before. */
  public void confirm() {
    Revision revision = current.revision;
    boolean done = true;
    for (BooleanSupplier listener : listeners) {
      done &= didItsPart(listener);
    }
    synchronized (this) {
      if (!done || !revision.isNewerThan(applied)) {
        return;
      }
      applied = revision;
    }
    appliedListeners.forEach(BUGS::guard);
  }

  private static Snapshot snapshot(DeviceTable table) {
    Map<String, Device> byName = HashMap.newHashMap(table.devices().size());
    Map<String, Device> byFingerprint = new HashMap<>();
    Map<X509Certificate, Device> authorities = new HashMap<>();
    for (Device device : table.devices()) {
      byName.put(device.name().value(), device);
      switch (device.credential()) {
        case Psk _ -> {}
        case Certificate(String fingerprint) -> byFingerprint.put(fingerprint, device);
        case Authority(String certificate) ->
            certificate(certificate)
                .ifPresentOrElse(
                    authority -> authorities.put(authority, device),
                    () -> LOG.errorf("event=authority-unreadable device=%s", device.name()));
      }
    }
    return new Snapshot(table.revision(), byName, byFingerprint, authorities);
  }

  private static Optional<X509Certificate> certificate(String base64) {
    try {
      byte[] der = Base64.getDecoder().decode(base64);
      return Optional.of(
          (X509Certificate)
              CertificateFactory.getInstance("X.509")
                  .generateCertificate(new ByteArrayInputStream(der)));
    } catch (CertificateException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
