package io.tinyfaas.manager.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HandlerHealthTest {

  private final HandlerHealth health = new HandlerHealth();

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

    assertThat(health.untilRestart())
        .isBetween(Duration.ofMillis(seconds * 1000L - 900), Duration.ofSeconds(seconds));
  }
}
