package io.tinyfaas.manager.call;

import io.tinyfaas.contract.control.ScheduleStatus;
import io.tinyfaas.contract.route.FunctionName;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Singleton;
import java.util.List;

/** A gateway that says of schedules what the test says. */
@Alternative
@Singleton
public class PlayedGatewaySchedules extends GatewaySchedules {

  private List<ScheduleStatus> known = List.of();

  PlayedGatewaySchedules() {
    super(null);
  }

  public void knows(ScheduleStatus... statuses) {
    known = List.of(statuses);
  }

  @Override
  public List<ScheduleStatus> of(FunctionName function) {
    return known;
  }
}
