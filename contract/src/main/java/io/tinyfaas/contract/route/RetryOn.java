package io.tinyfaas.contract.route;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** What of an accepted call is tried again. */
public enum RetryOn {
  /** The function answered with status 5xx, 408, 425 or 429, or with nothing that is HTTP. */
  ERROR,
  /** The function's timeout passed. */
  TIMEOUT;

  @JsonValue
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * @throws IllegalArgumentException if the text is neither
   */
  @JsonCreator
  public static RetryOn parse(String text) {
    for (RetryOn each : values()) {
      if (each.text().equals(text)) {
        return each;
      }
    }
    throw new IllegalArgumentException("calls are tried again on error or timeout");
  }
}
