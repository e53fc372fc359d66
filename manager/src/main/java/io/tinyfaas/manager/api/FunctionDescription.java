package io.tinyfaas.manager.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tinyfaas.contract.control.ScheduleStatus;
import io.tinyfaas.contract.route.Schedule;
import io.tinyfaas.manager.deploy.FunctionState;
import io.tinyfaas.manager.deploy.FunctionState.HandlerState;
import io.tinyfaas.manager.handler.Health;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.spec.FunctionSpecJson;
import io.tinyfaas.manager.spec.ScheduleJson;
import io.tinyfaas.manager.store.FunctionVersion;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * A function as callers see it.
 *
 * @param urls where to invoke it, by protocol
 * @param schedules how it is with them, of a function that is asked for by its name
 */
record FunctionDescription(
    String name,
    int version,
    String digest,
    State state,
    List<HandlerState> handlers,
    Map<String, String> urls,
    JsonNode spec,
    Instant deployedAt,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<JsonNode> schedules) {

  enum State {
    /** All handlers are healthy. */
    RUNNING,
    /** Some are. */
    DEGRADED,
    /** None is yet. */
    STARTING,
    /** None is. */
    DOWN;

    @JsonValue
    String text() {
      return name().toLowerCase(Locale.ROOT);
    }

    static State of(int wanted, List<HandlerState> handlers) {
      long healthy = handlers.stream().filter(h -> h.health() == Health.HEALTHY).count();
      if (healthy >= wanted) {
        return RUNNING;
      }
      if (healthy > 0) {
        return DEGRADED;
      }
      return handlers.stream().anyMatch(h -> h.health() == Health.STARTING) ? STARTING : DOWN;
    }
  }

  /** Without values of the environment. */
  static FunctionDescription of(FunctionState state, InvocationUrls urls) {
    return of(state, urls, FunctionSpecJson::writeHidden);
  }

  static FunctionDescription of(
      FunctionState state, InvocationUrls urls, Function<FunctionSpec, ObjectNode> spec) {
    FunctionVersion version = state.version();
    return new FunctionDescription(
        version.function().value(),
        version.number(),
        version.archiveDigest(),
        State.of(version.spec().handlers(), state.handlers()),
        state.handlers(),
        urls.of(version.function()),
        spec.apply(version.spec()),
        version.created(),
        List.of());
  }

  FunctionDescription withSchedules(List<Schedule> all, List<ScheduleStatus> known) {
    return new FunctionDescription(
        name,
        version,
        digest,
        state,
        handlers,
        urls,
        spec,
        deployedAt,
        all.stream().map(schedule -> describe(schedule, known)).toList());
  }

  /** Of one that the gateway says nothing of, what it is. */
  private static JsonNode describe(Schedule schedule, List<ScheduleStatus> known) {
    ObjectNode json = ScheduleJson.write(schedule);
    known.stream()
        .filter(status -> status.schedule().equals(schedule))
        .forEach(
            status -> {
              json.put("state", status.state().text());
              status.last().ifPresent(last -> json.put("last", last.toString()));
              status.next().ifPresent(next -> json.put("next", next.toString()));
            });
    return json;
  }

  /** One of the versions that a function can be rolled back to, or the active one. */
  record Version(int version, boolean active, String digest, JsonNode spec, Instant deployedAt) {

    static Version of(
        FunctionVersion version, boolean active, Function<FunctionSpec, ObjectNode> spec) {
      return new Version(
          version.number(),
          active,
          version.archiveDigest(),
          spec.apply(version.spec()),
          version.created());
    }
  }
}
