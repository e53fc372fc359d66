package io.tinyfaas.contract.route;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * The name people invoke a function by: 1 to 63 characters, either lower-case letters, digits and
 * inner hyphens, or letters and digits of either case (the names of the existing tinyFaaS). Names
 * differ by case.
 */
public record FunctionName(@JsonValue String value) implements Comparable<FunctionName> {

  public static final String RULE =
      "1 to 63 characters: lower-case letters, digits and inner hyphens, or letters and digits of"
          + " either case";

  private static final Pattern ALLOWED =
      Pattern.compile("[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|[A-Za-z0-9]{1,63}");

  /** What the gateway answers itself: no function is invoked by this name. */
  public static final FunctionName CALLS = new FunctionName("calls");

  /**
   * @throws IllegalArgumentException if the value breaks {@link #RULE}
   */
  @JsonCreator
  public FunctionName {
    if (!isValid(value)) {
      throw new IllegalArgumentException("a function name has " + RULE);
    }
  }

  public static boolean isValid(String value) {
    return value != null && ALLOWED.matcher(value).matches();
  }

  @Override
  public int compareTo(FunctionName other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
