package io.tinyfaas.contract.route;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.OptBoolean;
import java.util.List;
import java.util.Objects;

/**
 * A function and its healthy handlers. A function without any is still routed: its devices are told
 * "unavailable, come back", not "unknown".
 *
 * @param version of the function, from 1
 * @param timeoutMillis how long one invocation may take, in milliseconds, from 1
 * @param exposure how it shows itself to devices
 * @param calls what becomes of its calls; {@link CallPolicy#DEFAULT} where nothing is said of it
 */
public record Route(
    FunctionName function,
    int version,
    long timeoutMillis,
    Exposure exposure,
    @JsonProperty(isRequired = OptBoolean.FALSE)
        @JsonInclude(value = JsonInclude.Include.CUSTOM, valueFilter = CallPolicy.Unsaid.class)
        CallPolicy calls,
    List<Handler> handlers) {
  public Route {
    Objects.requireNonNull(function, "function");
    Objects.requireNonNull(exposure, "exposure");
    calls = Objects.requireNonNullElse(calls, CallPolicy.DEFAULT);
    handlers = List.copyOf(handlers);
    if (version < 1) {
      throw new IllegalArgumentException("version " + version + " of " + function);
    }
    if (timeoutMillis < 1) {
      throw new IllegalArgumentException("timeout " + timeoutMillis + " ms of " + function);
    }
  }
}
