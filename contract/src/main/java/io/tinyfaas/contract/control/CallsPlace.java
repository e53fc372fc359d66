package io.tinyfaas.contract.control;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * A place among a function's calls, in the order in which they were accepted. Only the gateway
 * knows how to read it, and it stays a place when the call there has gone.
 */
public record CallsPlace(@JsonValue String value) {

  public static final String RULE = "1 to 64 letters, digits, hyphens and underscores";

  private static final Pattern ALLOWED = Pattern.compile("[A-Za-z0-9_-]{1,64}");

  /**
   * @throws IllegalArgumentException if the value breaks {@link #RULE}
   */
  @JsonCreator
  public CallsPlace {
    if (!isValid(value)) {
      throw new IllegalArgumentException("a place among calls has " + RULE);
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
