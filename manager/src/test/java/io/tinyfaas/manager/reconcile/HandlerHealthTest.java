package io.tinyfaas.manager.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.manager.handler.Ending;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HandlerHealthTest {

  /** The time goes on when a test says so. */
  private long now;

  private final HandlerHealth health = new HandlerHealth(() -> now);

  @Test
  void shouldStartAtOnceTheFirstTime() {
    assertThat(health.untilRestart()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 2", "3, 4", "6, 32", "7, 60", "1000, 60"})
  void shouldWaitTwiceAsLongAfterEachStartUpToAMinute(int starts, int seconds) {
    for (int i = 0; i < starts; i++) {
      health.restarted();
    }

    assertThat(health.untilRestart()).isEqualTo(Duration.ofSeconds(seconds));
    now += Duration.ofMillis(600).toNanos();
    assertThat(health.untilRestart()).isEqualTo(Duration.ofSeconds(seconds).minusMillis(600));
    now += Duration.ofSeconds(seconds).toNanos();
    assertThat(health.untilRestart()).isZero();
  }

  @Test
  void shouldStartAtOnceAgainAfterASteadyRun() {
    health.restarted();
    now += Duration.ofSeconds(60).toNanos() + 1;
    health.answered();

    assertThat(health.untilRestart()).isZero();
  }

  @Test
  void shouldCountSilenceFromTheFirstQuestionWithoutAnAnswer() {
    health.didNotAnswer();
    now += Duration.ofSeconds(4).toNanos();
    health.didNotAnswer();

    assertThat(health.isSilentFor(Duration.ofSeconds(4))).isTrue();
    assertThat(health.isSilentFor(Duration.ofSeconds(5))).isFalse();
    health.answered();
    assertThat(health.isSilentFor(Duration.ZERO)).isFalse();
  }

  @Test
  void shouldCountOnlyWhatFollowsTheFirstStart() {
    health.started();
    assertThat(health.restarts()).isZero();

    health.restarted();
    health.restarted();

    assertThat(health.restarts()).isEqualTo(2);
  }

  @Test
  void shouldKnowAnEndAgainAlsoAfterAStartThatFailed() {
    Ending end = new Ending(Instant.EPOCH, 137, true);
    assertThat(health.lastEnd()).isEmpty();
    assertThat(health.ended(end)).isTrue();

    assertThat(health.ended(new Ending(end.at(), 127, false))).isFalse();
    assertThat(health.lastEnd()).contains(end);

    Ending next = new Ending(end.at().plusSeconds(1), 1, false);
    assertThat(health.ended(next)).isTrue();
    assertThat(health.lastEnd()).contains(next);
  }
}
