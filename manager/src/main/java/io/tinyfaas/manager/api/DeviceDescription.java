package io.tinyfaas.manager.api;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.DeviceTopics;
import io.tinyfaas.manager.device.DeviceRegistry.Status;
import io.tinyfaas.manager.device.DeviceRegistry.WithKey;
import io.tinyfaas.manager.store.StoredDevice;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/**
 * A device as REST shows it.
 *
 * @param kind {@code key}, {@code certificate} or {@code authority}
 * @param fingerprint SHA-256 of a device's certificate
 * @param mqtt what it may publish and subscribe besides what every device may
 * @param key of a device that has just been registered: as text, if it is printable
 * @param keyHex the same in hexadecimal digits
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonPropertyOrder({"name", "kind", "state", "created"})
record DeviceDescription(
    String name,
    String kind,
    String state,
    String created,
    String subject,
    String fingerprint,
    String expires,
    Optional<DeviceTopics> mqtt,
    String key,
    String keyHex) {

  static DeviceDescription of(Status status) {
    return of(status, "", "");
  }

  /** Once, when it has been registered: nobody can read the key later. */
  static DeviceDescription of(WithKey registered) {
    byte[] key = registered.key();
    return of(registered.status(), text(key), HexFormat.of().formatHex(key));
  }

  private static DeviceDescription of(Status status, String key, String keyHex) {
    StoredDevice device = status.device();
    String kind =
        switch (device.credential()) {
          case DeviceCredential.Psk _ -> "key";
          case DeviceCredential.Certificate _ -> "certificate";
          case DeviceCredential.Authority _ -> "authority";
        };
    String fingerprint =
        device.credential() instanceof DeviceCredential.Certificate(String sha256) ? sha256 : "";
    return new DeviceDescription(
        device.name().value(),
        kind,
        status.state().name().toLowerCase(Locale.ROOT).replace('_', '-'),
        device.created(),
        device.subject(),
        fingerprint,
        device.expires(),
        device.mqtt(),
        key,
        keyHex);
  }

  private static String text(byte[] key) {
    for (byte b : key) {
      if (b <= ' ' || b > '~') {
        return "";
      }
    }
    return new String(key, US_ASCII);
  }
}
