package io.tinyfaas.manager.runtime;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BuildRoomTest {

  private static final Duration LONG = Duration.ofMinutes(10);

  private final BuildRoom room = new BuildRoom(null);

  @Test
  void shouldGivePlacesBackAndRefuseWhoHasWaitedLongEnough() {
    BuildRoom.Place first = room.take(LONG);
    room.take(LONG);

    assertThatThrownBy(() -> room.take(Duration.ofMillis(1)))
        .isInstanceOfSatisfying(ProblemException.class, BuildRoomTest::saysWhenToComeBack);

    first.close();
    room.take(LONG).close();
  }

  @Test
  void shouldBoundHowManyWait() {
    List<BuildRoom.Place> held = List.of(room.take(LONG), room.take(LONG));
    List<Thread> waiting = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      waiting.add(Thread.ofPlatform().start(() -> room.take(LONG).close()));
    }
    eventually()
        .until(() -> waiting.stream().allMatch(t -> t.getState() == Thread.State.TIMED_WAITING));

    assertThatThrownBy(() -> room.take(LONG))
        .isInstanceOfSatisfying(ProblemException.class, BuildRoomTest::saysWhenToComeBack);

    held.forEach(BuildRoom.Place::close);
    eventually().until(() -> waiting.stream().noneMatch(Thread::isAlive));
    room.take(LONG).close();
  }

  private static void saysWhenToComeBack(ProblemException problem) {
    assertThat(problem.type()).isEqualTo(ProblemType.TOO_MANY);
    assertThat(problem.retryAfter()).isPositive();
  }
}
