package io.tinyfaas.gateway.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** On a loop whose time passes when a test says so. */
class LoopTimersTest {

  private final EmbeddedChannel channel = new EmbeddedChannel();
  private long nanos;
  private final LoopTimers timers = new LoopTimers(channel.eventLoop(), () -> nanos);

  @BeforeEach
  void freeze() {
    channel.freezeTime();
  }

  @AfterEach
  void stop() {
    channel.close();
  }

  private void pass(long millis) {
    for (int i = 0; i < millis; i++) {
      skip(1);
    }
  }

  /** The loop stands still for so long. */
  private void skip(long millis) {
    nanos += TimeUnit.MILLISECONDS.toNanos(millis);
    channel.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
    channel.runScheduledPendingTasks();
  }

  private long millis() {
    return TimeUnit.NANOSECONDS.toMillis(nanos);
  }

  @Test
  void shouldGoOffInTheirOrderAndNeverEarly() {
    List<Long> off = new ArrayList<>();
    List<Long> late = new ArrayList<>();
    for (long millis : List.of(95L, 0L, 40L)) {
      timers.start(
          millis,
          () -> {
            off.add(millis);
            late.add(millis() - millis);
          });
    }

    pass(200);

    assertThat(off).containsExactly(0L, 40L, 95L);
    assertThat(late).allSatisfy(by -> assertThat(by).isBetween(0L, 2L * LoopTimers.TICK_MILLIS));
  }

  @Test
  void shouldGoOffInTheirOrderWhereTheLoopStoodStill() {
    List<Long> off = new ArrayList<>();
    for (long millis : List.of(95L, 0L, 40L)) {
      timers.start(millis, () -> off.add(millis));
    }

    skip(3_000);

    assertThat(off).containsExactly(0L, 40L, 95L);
  }

  @Test
  void shouldNotGoOffAfterTheyAreCancelledNotEvenByOneOfTheSameTick() {
    List<String> off = new ArrayList<>();
    LoopTimers.Timer[] second = new LoopTimers.Timer[1];
    timers.start(
        20,
        () -> {
          off.add("first");
          second[0].cancel();
        });
    second[0] = timers.start(20, () -> off.add("second"));
    LoopTimers.Timer third = timers.start(20, () -> off.add("third"));
    third.cancel();
    third.cancel();

    pass(60);

    assertThat(off).containsExactly("first");
  }

  @Test
  void shouldGoOffThoughOneOfTheSameTickFails() {
    List<String> off = new ArrayList<>();
    timers.start(
        20,
        () -> {
          throw new IllegalStateException("a bug");
        });
    timers.start(20, () -> off.add("second"));

    pass(60);
    timers.start(20, () -> off.add("third"));
    pass(60);

    assertThat(off).containsExactly("second", "third");
  }

  @Test
  void shouldGoOnAfterTheyHadNothingToDo() {
    List<Integer> off = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int round = i;
      timers.start(5, () -> off.add(round));
      pass(100);
    }
    assertThat(off).containsExactly(0, 1, 2);
  }

  /** A turn of the wheel is 10.24 s. */
  @Test
  void shouldNotGoOffATurnOfTheWheelTooEarly() {
    List<Long> off = new ArrayList<>();
    timers.start(10_240 + 20, () -> off.add(millis()));

    pass(10_240 + 19);
    assertThat(off).isEmpty();

    pass(1 + 2 * LoopTimers.TICK_MILLIS);
    assertThat(off).hasSize(1);
  }
}
