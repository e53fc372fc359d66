package io.tinyfaas.contract.control;

import io.tinyfaas.contract.route.Schedule;
import java.util.List;
import java.util.Objects;
import java.util.UUID;

/**
 * A gateway's answer to a {@link SchedulesRequest}.
 *
 * @param id the request's
 * @param schedules those of the function that the gateway goes by
 */
public record SchedulesReply(UUID id, List<ScheduleStatus> schedules) {

  /**
   * @throws IllegalArgumentException if there are more than a function may have
   */
  public SchedulesReply {
    Objects.requireNonNull(id, "id");
    schedules = List.copyOf(schedules);
    if (schedules.size() > Schedule.MAX_SCHEDULES) {
      throw new IllegalArgumentException(
          "a reply is of at most " + Schedule.MAX_SCHEDULES + " schedules");
    }
  }
}
