package io.tinyfaas.manager.handler;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** How a handler is, for people. */
public enum Health {
  /** It runs, and has not been asked or not answered yet. */
  STARTING,
  HEALTHY,
  /** It runs, and did not answer when it was last asked. */
  UNRESPONSIVE,
  /** Its container does not run. */
  STOPPED;

  @JsonValue
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
