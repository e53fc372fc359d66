package io.tinyfaas.contract.control;

import io.tinyfaas.contract.route.FunctionName;
import java.util.Objects;
import java.util.UUID;

/**
 * What the manager asks a gateway about a function's schedules: how it is with them.
 *
 * @param id of this request, which the reply has too
 */
public record SchedulesRequest(UUID id, FunctionName function) {
  public SchedulesRequest {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(function, "function");
  }
}
