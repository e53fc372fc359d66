package io.tinyfaas.contract.control;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import io.tinyfaas.contract.route.Schedule;
import java.time.Instant;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/**
 * How it is with a schedule.
 *
 * @param last the time for which it made its last call
 * @param next the time for which it will make the next one, as far as that is known
 */
public record ScheduleStatus(
    Schedule schedule,
    State state,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<Instant> last,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<Instant> next) {

  /** What it does. */
  public enum State {
    /** It waits for its next time. */
    WAITING,
    /** It goes by the time of day, and the gateway does not know it: its clock is wrong. */
    WAITING_FOR_CLOCK,
    /** The call that it made last has not ended. */
    RUNNING,
    /** It is time, but the gateway has no room for the call: it is tried again. */
    REFUSED;

    @JsonValue
    public String text() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * @throws IllegalArgumentException if the text is none of them
     */
    @JsonCreator
    public static State parse(String text) {
      for (State state : values()) {
        if (state.text().equals(text)) {
          return state;
        }
      }
      throw new IllegalArgumentException(
          "a schedule is waiting, waiting-for-clock, running or refused");
    }
  }

  public ScheduleStatus {
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(state, "state");
    Objects.requireNonNull(last, "last");
    Objects.requireNonNull(next, "next");
  }
}
