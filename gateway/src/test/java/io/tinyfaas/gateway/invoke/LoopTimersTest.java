package io.tinyfaas.gateway.invoke;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.DefaultEventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LoopTimersTest {

  private final DefaultEventLoop loop = new DefaultEventLoop();
  private final LoopTimers timers = new LoopTimers(loop);

  @AfterEach
  void stop() {
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  private <T> T within(CompletableFuture<T> result) {
    return result.orTimeout(5, TimeUnit.SECONDS).join();
  }

  @Test
  void shouldGoOffInTheirOrderAndNeverEarly() {
    CompletableFuture<List<Long>> result = new CompletableFuture<>();
    loop.execute(
        () -> {
          long start = System.nanoTime();
          List<Long> late = new ArrayList<>();
          for (long millis : List.of(95L, 0L, 40L)) {
            timers.start(
                millis,
                () -> {
                  late.add(millis);
                  late.add(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start) - millis);
                  if (late.size() == 6) {
                    result.complete(late);
                  }
                });
          }
        });
    List<Long> late = within(result);
    assertThat(List.of(late.get(0), late.get(2), late.get(4))).containsExactly(0L, 40L, 95L);
    assertThat(List.of(late.get(1), late.get(3), late.get(5))).allMatch(millis -> millis >= 0);
  }

  @Test
  void shouldNotGoOffAfterTheyAreCancelledNotEvenByOneOfTheSameTick() {
    CompletableFuture<List<String>> result = new CompletableFuture<>();
    loop.execute(
        () -> {
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
          timers.start(60, () -> result.complete(off));
        });
    assertThat(within(result)).containsExactly("first");
  }

  @Test
  void shouldGoOnAfterTheyHadNothingToDo() {
    for (int i = 0; i < 3; i++) {
      CompletableFuture<Boolean> result = new CompletableFuture<>();
      loop.execute(() -> timers.start(5, () -> result.complete(true)));
      assertThat(within(result)).isTrue();
    }
  }

  /** A turn of the wheel is 10.24 s. */
  @Test
  void shouldNotGoOffATurnOfTheWheelTooEarly() {
    CompletableFuture<Boolean> early = new CompletableFuture<>();
    CompletableFuture<Boolean> result = new CompletableFuture<>();
    loop.execute(
        () -> {
          timers.start(10_240 + 20, () -> early.complete(true));
          timers.start(60, () -> result.complete(true));
        });
    within(result);
    assertThat(early).isNotDone();
  }
}
