package io.tinyfaas.manager.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.contract.route.Schedule;
import io.tinyfaas.contract.route.Schedule.Missed;
import io.tinyfaas.contract.route.Schedule.Overlap;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class RoutePublisherTest {

  private final RoutePublisher publisher = new RoutePublisher(null, null);

  /** With as much as a function may tell the gateway of its schedules. */
  private static Route large(int number) {
    List<Schedule> schedules =
        LongStream.rangeClosed(1, Schedule.MAX_SCHEDULES)
            .mapToObj(
                seconds ->
                    new Schedule(
                        Optional.empty(),
                        Optional.of(seconds * 1_000),
                        "UTC",
                        "POST",
                        "",
                        "x".repeat(Schedule.MAX_BODY_BYTES),
                        Missed.ONCE,
                        Overlap.SKIP))
            .toList();
    return new Route(
        new FunctionName("f" + number),
        1,
        1_000,
        Exposure.DEFAULT,
        CallPolicy.DEFAULT,
        schedules,
        List.of());
  }

  @Test
  void shouldRefuseWhatMakesTheTableLargerThanAMessage() {
    for (int number = 0; number < 50; number++) {
      publisher.requireRoom(large(number));
      publisher.put(large(number));
    }
    publisher.requireRoom(large(7)); // in the place of the one there is
    for (int number = 50; number < 62; number++) {
      publisher.put(large(number));
    }

    ProblemException problem =
        catchThrowableOfType(ProblemException.class, () -> publisher.requireRoom(large(62)));
    assertThat(problem.type()).isEqualTo(ProblemType.INVALID_SPEC);
    assertThat(problem).hasMessageContaining("give schedules shorter bodies");
  }
}
