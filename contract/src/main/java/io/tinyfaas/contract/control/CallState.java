package io.tinyfaas.contract.control;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** How far a call is that the gateway has accepted. */
public enum CallState {
  /** For its first attempt, or the next one. */
  WAITING,
  RUNNING,
  /** The function answered with a status below 400. */
  DONE,
  /** It is not tried again, unless somebody asks for it. */
  FAILED;

  @JsonValue
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<CallState> of(String text) {
    return Stream.of(values()).filter(state -> state.text().equals(text)).findFirst();
  }

  /**
   * @throws IllegalArgumentException if the text is none of them
   */
  @JsonCreator
  public static CallState parse(String text) {
    return of(text)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "a call is waiting, running, done or failed: " + text));
  }
}
