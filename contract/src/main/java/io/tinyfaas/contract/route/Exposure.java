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
 * @param observable whether its last result is a state that may be observed, and how many of them
 *     it has
 * @param link attributes of its link in {@code /.well-known/core} (RFC 6690), such as {@code title}
 *     and {@code rt}, by name
 */
public record Exposure(Access access, Observable observable, Map<String, String> link) {

  /** Everybody may invoke it, nobody can observe it, and its link has no attributes of its own. */
  public static final Exposure DEFAULT = new Exposure(Access.ANY, Observable.NO, Map.of());

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

  /** What of a function can be observed; in JSON false, true or {@code "path"}. */
  public enum Observable {
    /** Nothing. */
    NO(false),
    /** One state: its last result, whatever path was asked for. */
    FUNCTION(true),
    /** A state for each of its paths: the last result of a request for it. */
    PATH("path");

    /** As a user is told. */
    public static final String RULE = "true, false, or \"path\" for a state of each path";

    private final Object json;

    Observable(Object json) {
      this.json = json;
    }

    /** A Boolean or a String. */
    @JsonValue
    public Object json() {
      return json;
    }

    /**
     * @throws IllegalArgumentException if it is none of these
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static Observable parse(Object json) {
      for (Observable observable : values()) {
        if (observable.json.equals(json)) {
          return observable;
        }
      }
      throw new IllegalArgumentException("observable is " + RULE);
    }
  }

  public Exposure {
    Objects.requireNonNull(access, "access");
    Objects.requireNonNull(observable, "observable");
    link = Collections.unmodifiableMap(new TreeMap<>(link));
  }
}
