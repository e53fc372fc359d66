package io.tinyfaas.contract.control;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/** What the gateway named a call by when it accepted it: 128 bits that nobody guesses. */
public record CallId(@JsonValue String value) {

  public static final String RULE = "22 letters, digits, hyphens and underscores";

  private static final Pattern ALLOWED = Pattern.compile("[A-Za-z0-9_-]{22}");

  /**
   * @throws IllegalArgumentException if the value breaks {@link #RULE}
   */
  @JsonCreator
  public CallId {
    if (!isValid(value)) {
      throw new IllegalArgumentException("a call's id has " + RULE);
    }
  }

  public static boolean isValid(String value) {
    return value != null && ALLOWED.matcher(value).matches();
  }

  @Override
  public String toString() {
    return value;
  }
}
