package io.tinyfaas.manager.deploy;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.tinyfaas.manager.handler.Ending;
import io.tinyfaas.manager.handler.Health;
import io.tinyfaas.manager.store.FunctionVersion;
import java.util.List;
import java.util.Optional;

/** What of a function is to run, and what does. */
public record FunctionState(FunctionVersion version, List<HandlerState> handlers) {

  public FunctionState {
    handlers = List.copyOf(handlers);
  }

  /**
   * @param restarts since the manager runs; it has found the last end since then, too
   */
  @JsonInclude(JsonInclude.Include.NON_ABSENT)
  public record HandlerState(String id, Health health, int restarts, Optional<Ending> lastEnd) {}
}
