package io.tinyfaas.contract.device;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/** What a device, or a certificate authority whose devices are known, is registered as. */
public record DeviceName(@JsonValue String value) implements Comparable<DeviceName> {

  public static final String RULE =
      "1 to 63 characters: letters, digits, and not at the beginning dots, hyphens and underscores";

  private static final Pattern ALLOWED = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

  /**
   * @throws IllegalArgumentException if the value breaks {@link #RULE}
   */
  @JsonCreator
  public DeviceName {
    if (!isValid(value)) {
      throw new IllegalArgumentException("a device's name has " + RULE);
    }
  }

  public static boolean isValid(String value) {
    return value != null && ALLOWED.matcher(value).matches();
  }

  @Override
  public int compareTo(DeviceName other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
