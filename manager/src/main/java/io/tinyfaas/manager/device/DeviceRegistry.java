package io.tinyfaas.manager.device;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.DeviceName;
import io.tinyfaas.contract.device.DeviceTopics;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.store.DeviceStore;
import io.tinyfaas.manager.store.StoredDevice;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import org.jboss.logging.Logger;

/**
 * Registers and revokes devices: stored first, then brought to the gateway, and answered once the
 * gateway applies it.
 */
@ApplicationScoped
public class DeviceRegistry {

  private static final Logger LOG = Logger.getLogger(DeviceRegistry.class);

  /** It takes some milliseconds if the gateway is there. */
  private static final Duration GATEWAY_TIMEOUT = Duration.ofSeconds(3);

  /** What a registered device can do now. */
  public enum State {
    /** Connect. */
    ACTIVE,
    /** Connect, as soon as the gateway has heard of it. */
    PENDING,
    /** Nothing: its key was sealed with a key that this installation does not have. */
    KEY_LOST
  }

  /** A device with its state. */
  public record Status(StoredDevice device, State state) {}

  /**
   * @param key the device's, which nobody can read later
   */
  public record WithKey(Status status, byte[] key) {}

  private final DeviceStore store;
  private final DeviceKeys keys;
  private final DevicePublisher gateway;

  DeviceRegistry(DeviceStore store, DeviceKeys keys, DevicePublisher gateway) {
    this.store = store;
    this.keys = keys;
    this.gateway = gateway;
  }

  public List<Status> list() {
    return store.list().stream().map(this::status).toList();
  }

  /**
   * @throws ProblemException UNKNOWN_DEVICE
   */
  public Status get(DeviceName name) {
    return status(store.get(name));
  }

  /**
   * @throws ProblemException DEVICE_EXISTS, TOO_MANY, DEVICES_UNAVAILABLE, GATEWAY_UNAVAILABLE
   */
  public WithKey registerWithNewKey(DeviceName name, Optional<DeviceTopics> mqtt) {
    return registerWithKey(name, keys.generate().getBytes(US_ASCII), mqtt);
  }

  /**
   * @param key that the device has already
   * @throws ProblemException as with a new one
   */
  public WithKey registerWithKey(DeviceName name, byte[] key, Optional<DeviceTopics> mqtt) {
    return new WithKey(register(name, keys.seal(name, key), "", "", mqtt), key);
  }

  /**
   * @param pem its certificate
   * @throws ProblemException INVALID_REQUEST, DEVICE_EXISTS, TOO_MANY, GATEWAY_UNAVAILABLE
   */
  public Status registerWithCertificate(DeviceName name, byte[] pem, Optional<DeviceTopics> mqtt) {
    DeviceCertificate certificate = DeviceCertificate.read(pem);
    return register(name, certificate.pinned(), certificate.subject(), certificate.expires(), mqtt);
  }

  /**
   * All devices whose certificates this authority has issued.
   *
   * @param pem its certificate
   * @throws ProblemException as with a device's
   */
  public Status registerAuthority(DeviceName name, byte[] pem, Optional<DeviceTopics> mqtt) {
    DeviceCertificate certificate = DeviceCertificate.read(pem);
    return register(
        name, certificate.authority(), certificate.subject(), certificate.expires(), mqtt);
  }

  private Status register(
      DeviceName name,
      DeviceCredential credential,
      String subject,
      String expires,
      Optional<DeviceTopics> mqtt) {
    gateway.requireGateway();
    String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    StoredDevice device = new StoredDevice(name, credential, now, subject, expires, mqtt);
    try {
      store.add(device);
    } catch (ProblemException e) {
      publishAfter(e);
      throw e;
    }
    boolean applied = apply();
    LOG.infof("event=device-registered device=%s applied=%s", name, applied);
    return status(device);
  }

  /**
   * Also while the gateway is away, which then hears of it before it lets anybody in.
   *
   * @return false if the gateway has not confirmed it yet
   * @throws ProblemException UNKNOWN_DEVICE
   */
  public boolean revoke(DeviceName name) {
    try {
      store.remove(name);
    } catch (ProblemException e) {
      publishAfter(e);
      throw e;
    }
    boolean applied = apply();
    LOG.infof("event=device-revoked device=%s applied=%s", name, applied);
    return applied;
  }

  /** A disk that failed may have kept a change all the same. */
  private void publishAfter(ProblemException failure) {
    if (failure.type().status() >= 500) {
      gateway.publish();
    }
  }

  private boolean apply() {
    Revision revision = gateway.publish();
    return gateway.awaitApplied(revision, GATEWAY_TIMEOUT);
  }

  private Status status(StoredDevice device) {
    State state =
        !keys.canOpen(device.name(), device.credential())
            ? State.KEY_LOST
            : gateway.isApplied() ? State.ACTIVE : State.PENDING;
    return new Status(device, state);
  }
}
