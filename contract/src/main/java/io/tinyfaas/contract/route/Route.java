package io.tinyfaas.contract.route;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.OptBoolean;
import io.tinyfaas.contract.mqtt.MqttTrigger;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * A function and its healthy handlers. A function without any is still routed: its devices are told
 * "unavailable, come back", not "unknown".
 *
 * @param version of the function, from 1
 * @param timeoutMillis how long one invocation may take, in milliseconds, from 1
 * @param exposure how it shows itself to devices
 * @param calls what becomes of its calls; {@link CallPolicy#DEFAULT} where nothing is said of it
 * @param schedules when it is called by the clock; none where nothing is said of it, no two alike,
 *     and at most {@value Schedule#MAX_SCHEDULES}
 * @param triggers published messages that it is called with; none where nothing is said of it, no
 *     two for the same, and at most {@value MqttTrigger#MAX_TRIGGERS}
 * @param mayCall the functions that it may call by the sockets of its handlers; none where nothing
 *     is said of it, no two alike, and at most {@value #MAX_MAY_CALL}
 */
public record Route(
    FunctionName function,
    int version,
    long timeoutMillis,
    Exposure exposure,
    @JsonProperty(isRequired = OptBoolean.FALSE)
        @JsonInclude(value = JsonInclude.Include.CUSTOM, valueFilter = CallPolicy.Unsaid.class)
        CallPolicy calls,
    @JsonProperty(isRequired = OptBoolean.FALSE) @JsonInclude(JsonInclude.Include.NON_EMPTY)
        List<Schedule> schedules,
    @JsonProperty(isRequired = OptBoolean.FALSE) @JsonInclude(JsonInclude.Include.NON_EMPTY)
        List<MqttTrigger> triggers,
    @JsonProperty(isRequired = OptBoolean.FALSE) @JsonInclude(JsonInclude.Include.NON_EMPTY)
        List<FunctionName> mayCall,
    List<Handler> handlers) {

  /** How many functions one may call. */
  public static final int MAX_MAY_CALL = 32;

  public Route {
    Objects.requireNonNull(function, "function");
    Objects.requireNonNull(exposure, "exposure");
    calls = Objects.requireNonNullElse(calls, CallPolicy.DEFAULT);
    schedules = schedules == null ? List.of() : List.copyOf(schedules);
    triggers = triggers == null ? List.of() : List.copyOf(triggers);
    mayCall = mayCall == null ? List.of() : List.copyOf(mayCall);
    handlers = List.copyOf(handlers);
    if (schedules.size() > Schedule.MAX_SCHEDULES
        || Set.copyOf(schedules).size() < schedules.size()) {
      throw new IllegalArgumentException(
          "more than " + Schedule.MAX_SCHEDULES + " schedules of " + function + ", or two alike");
    }
    if (triggers.size() > MqttTrigger.MAX_TRIGGERS || hasTwoAlike(triggers)) {
      throw new IllegalArgumentException(
          "more than " + MqttTrigger.MAX_TRIGGERS + " triggers of " + function + ", or two alike");
    }
    if (mayCall.size() > MAX_MAY_CALL || Set.copyOf(mayCall).size() < mayCall.size()) {
      throw new IllegalArgumentException(
          "more than " + MAX_MAY_CALL + " functions that " + function + " may call, or two alike");
    }
    if (version < 1) {
      throw new IllegalArgumentException("version " + version + " of " + function);
    }
    if (timeoutMillis < 1) {
      throw new IllegalArgumentException("timeout " + timeoutMillis + " ms of " + function);
    }
  }

  /** Of a function that no published message is for, and that calls no other. */
  public Route(
      FunctionName function,
      int version,
      long timeoutMillis,
      Exposure exposure,
      CallPolicy calls,
      List<Schedule> schedules,
      List<Handler> handlers) {
    this(
        function,
        version,
        timeoutMillis,
        exposure,
        calls,
        schedules,
        List.of(),
        List.of(),
        handlers);
  }

  private static boolean hasTwoAlike(List<MqttTrigger> triggers) {
    return triggers.stream()
        .anyMatch(one -> triggers.stream().anyMatch(other -> one != other && one.isLike(other)));
  }
}
