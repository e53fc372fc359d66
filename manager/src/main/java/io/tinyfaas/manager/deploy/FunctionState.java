package io.tinyfaas.manager.deploy;

import io.tinyfaas.manager.store.FunctionVersion;
import java.util.List;

/** What of a function is to run, and what does. */
public record FunctionState(FunctionVersion version, List<HandlerState> handlers) {

  public FunctionState {
    handlers = List.copyOf(handlers);
  }

  /**
   * @param health {@code starting}, {@code healthy}, {@code unresponsive} or {@code stopped}
   */
  public record HandlerState(String id, String health) {}
}
