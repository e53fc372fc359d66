package io.tinyfaas.manager.device;

import static io.tinyfaas.manager.problem.ProblemType.DEVICES_UNAVAILABLE;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.DeviceName;
import io.tinyfaas.contract.device.KeySeal;
import io.tinyfaas.manager.problem.ProblemException;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Makes the keys of devices, and seals them with the key that manager and gateway share. That one
 * lies apart from the store and from what the broker keeps, so a copy of these is of no use.
 */
@ApplicationScoped
public class DeviceKeys {

  /**
   * 22 characters that every client can take as text: 132 bits. (A hexadecimal key of 16 bytes is
   * not: libcoap's client takes the digits themselves.)
   */
  private static final int CHARACTERS = 22;

  private static final int RANDOM_BYTES = 18;

  private final SecureRandom random = new SecureRandom();
  private final Optional<KeySeal> seal;

  /**
   * @throws ConfigurationException if there is a file to be read and it cannot
   */
  DeviceKeys(@ConfigProperty(name = "tinyfaas.device-key-file") Optional<Path> file) {
    try {
      this.seal = file.isEmpty() ? Optional.empty() : Optional.of(KeySeal.read(file.get()));
    } catch (IOException e) {
      throw new ConfigurationException(
          "TINYFAAS_DEVICE_KEY_FILE cannot be read (" + e + "): docker compose run passwords");
    }
  }

  /** A new one, of letters, digits, hyphens and underscores. */
  String generate() {
    byte[] bytes = new byte[RANDOM_BYTES];
    random.nextBytes(bytes);
    return Base64.getUrlEncoder().encodeToString(bytes).substring(0, CHARACTERS);
  }

  /**
   * @throws ProblemException DEVICES_UNAVAILABLE if this manager has nothing to seal it with
   */
  DeviceCredential.Psk seal(DeviceName name, byte[] key) {
    return seal.map(with -> new DeviceCredential.Psk(with.seal(name, key)))
        .orElseThrow(
            () ->
                ProblemException.of(
                    DEVICES_UNAVAILABLE,
                    "Keys of devices cannot be kept safe: TINYFAAS_DEVICE_KEY_FILE of the manager"
                        + " names no file. Devices with certificates can be registered."));
  }

  /** Whether the device can still connect: false for a key that was sealed with another seal. */
  boolean canOpen(DeviceName name, DeviceCredential credential) {
    return !(credential instanceof DeviceCredential.Psk psk)
        || seal.flatMap(with -> with.open(name, psk)).isPresent();
  }
}
