package io.tinyfaas.contract.device;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Encrypts the keys of devices, so that neither the manager's store nor what the broker retains,
 * nor a copy of them, gives one away: AES-256-GCM, with a key that only manager and gateway have,
 * and bound to the device's name. Sealed is the nonce, the ciphertext and the tag, in Base64.
 */
public final class KeySeal {

  public static final int MIN_KEY_BYTES = 16;
  public static final int MAX_KEY_BYTES = 64;

  private static final int SEAL_BYTES = 32;
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;

  private final SecureRandom random = new SecureRandom();
  private final SecretKeySpec secret;

  /**
   * @param secret 32 random bytes
   */
  public KeySeal(byte[] secret) {
    if (secret.length != SEAL_BYTES) {
      throw new IllegalArgumentException("the key that seals has " + SEAL_BYTES + " bytes");
    }
    this.secret = new SecretKeySpec(secret, "AES");
  }

  /**
   * @param file holds the 32 bytes in Base64
   * @throws IOException if it cannot be read or is something else
   */
  public static KeySeal read(Path file) throws IOException {
    try {
      return new KeySeal(Base64.getDecoder().decode(Files.readString(file).strip()));
    } catch (IllegalArgumentException e) {
      throw new IOException(file + " does not hold " + SEAL_BYTES + " bytes in Base64", e);
    }
  }

  public String seal(DeviceName device, byte[] key) {
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    try {
      byte[] ciphertext = cipher(Cipher.ENCRYPT_MODE, device, nonce).doFinal(key);
      byte[] sealed = Arrays.copyOf(nonce, NONCE_BYTES + ciphertext.length);
      System.arraycopy(ciphertext, 0, sealed, NONCE_BYTES, ciphertext.length);
      return Base64.getEncoder().encodeToString(sealed);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * @return empty if it was sealed with another key or for another device, or is damaged
   */
  public Optional<byte[]> open(DeviceName device, DeviceCredential.Psk psk) {
    try {
      byte[] sealed = Base64.getDecoder().decode(psk.sealedKey());
      if (sealed.length < NONCE_BYTES) {
        return Optional.empty();
      }
      byte[] nonce = Arrays.copyOf(sealed, NONCE_BYTES);
      return Optional.of(
          cipher(Cipher.DECRYPT_MODE, device, nonce)
              .doFinal(sealed, NONCE_BYTES, sealed.length - NONCE_BYTES));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private Cipher cipher(int mode, DeviceName device, byte[] nonce) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, secret, new GCMParameterSpec(TAG_BITS, nonce));
    cipher.updateAAD(device.value().getBytes(UTF_8));
    return cipher;
  }
}
