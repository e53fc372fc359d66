package io.tinyfaas.contract.route;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * How a function shows itself to devices.
 *
 * @param access who may invoke it
 * @param observable whether its last result is a resource that devices may observe (RFC 7641)
 * @param link attributes of its link in {@code /.well-known/core} (RFC 6690), such as {@code title}
 *     and {@code rt}, by name
 */
public record Exposure(Access access, boolean observable, Map<String, String> link) {

  /** Everybody may invoke it, nobody can observe it, and its link has no attributes of its own. */
  public static final Exposure DEFAULT = new Exposure(Access.ANY, false, Map.of());

  /** Who may invoke a function. */
  public enum Access {
    /** Whoever reaches the gateway. */
    ANY,
    /** Devices that have proved who they are, by DTLS. */
    DEVICE;

    @JsonValue
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * @throws IllegalArgumentException if the text is neither
     */
    @JsonCreator
    public static Access parse(String text) {
      for (Access access : values()) {
        if (access.text().equals(text)) {
          return access;
        }
      }
      throw new IllegalArgumentException("access is any or device");
    }
  }

  public Exposure {
    Objects.requireNonNull(access, "access");
    link = Collections.unmodifiableMap(new TreeMap<>(link));
  }
}
