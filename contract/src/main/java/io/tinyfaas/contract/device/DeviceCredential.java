package io.tinyfaas.contract.device;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * How a device proves who it is in a DTLS handshake, written {@code psk:KEY}, {@code
 * certificate:FINGERPRINT} or {@code authority:CERTIFICATE}.
 */
public sealed interface DeviceCredential {

  /** The longest, in characters: of an authority's certificate. */
  int MAX_LENGTH = 16_384;

  /**
   * A key that both know. The identity that the device sends is its name.
   *
   * @param sealedKey the key as {@link KeySeal} has sealed it
   */
  record Psk(String sealedKey) implements DeviceCredential {
    public Psk {
      require(BASE64, sealedKey);
    }

    @Override
    public String toString() {
      return "psk:" + sealedKey;
    }
  }

  /**
   * One X.509 certificate, whoever issued it.
   *
   * @param fingerprint SHA-256 of its DER form, in 64 lower-case hexadecimal digits
   */
  record Certificate(String fingerprint) implements DeviceCredential {
    public Certificate {
      require(FINGERPRINT, fingerprint);
    }

    @Override
    public String toString() {
      return "certificate:" + fingerprint;
    }
  }

  /**
   * Whatever X.509 certificate this authority has issued; the device is then the authority's name,
   * a slash, and the common name of the certificate's subject.
   *
   * @param certificate the authority's, its DER form in Base64
   */
  record Authority(String certificate) implements DeviceCredential {
    public Authority {
      require(BASE64, certificate);
    }

    @Override
    public String toString() {
      return "authority:" + certificate;
    }
  }

  Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/]+={0,2}");
  Pattern FINGERPRINT = Pattern.compile("[0-9a-f]{64}");

  private static void require(Pattern form, String text) {
    if (text == null || text.length() > MAX_LENGTH || !form.matcher(text).matches()) {
      throw new IllegalArgumentException("not a device's credential");
    }
  }

  @JsonValue
  default String text() {
    return toString();
  }

  /**
   * @throws IllegalArgumentException if the text has none of the three forms
   */
  @JsonCreator
  static DeviceCredential parse(String text) {
    int colon = text.indexOf(':');
    String value = text.substring(colon + 1);
    return switch (text.substring(0, Math.max(0, colon))) {
      case "psk" -> new Psk(value);
      case "certificate" -> new Certificate(value);
      case "authority" -> new Authority(value);
      default -> throw new IllegalArgumentException("neither psk: nor certificate: nor authority:");
    };
  }
}
