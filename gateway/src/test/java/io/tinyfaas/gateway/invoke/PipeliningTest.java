package io.tinyfaas.gateway.invoke;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PipeliningTest {

  private final Pipelining pipelining = new Pipelining();

  private void answered(int times, long micros) {
    for (int i = 0; i < times; i++) {
      pipelining.answered(TimeUnit.MICROSECONDS.toNanos(micros));
    }
  }

  @Test
  void shouldShareNothingBeforeTheHandlerHasShownThatItIsQuick() {
    answered(255, 50);
    assertThat(pipelining.depth()).isEqualTo(1);
    answered(1, 50);
    assertThat(pipelining.depth()).isGreaterThan(1);
  }

  @Test
  void shouldSendNoMoreThanIsAnsweredInTime() {
    answered(1_000, 50);
    assertThat(pipelining.depth()).isEqualTo(32);
    answered(1_000, 500);
    assertThat(pipelining.depth()).isBetween(7, 8);
    answered(1_000, 5_000);
    assertThat(pipelining.depth()).isEqualTo(1);
    answered(1_000, 50);
    assertThat(pipelining.depth()).isEqualTo(32);
  }

  @Test
  void shouldTrustAHandlerThatHeldOthersUpOnlyAfterTwiceAsManyQuickAnswers() {
    answered(1_000, 50);
    for (int needed = 512; needed <= 4_096; needed *= 2) {
      pipelining.slow(true);
      answered(needed - 1, 50);
      assertThat(pipelining.depth()).isEqualTo(1);
      answered(1, 50);
      assertThat(pipelining.depth()).isEqualTo(32);
    }
  }

  @Test
  void shouldForgive() {
    answered(1_000, 50);
    pipelining.slow(true);
    answered(16 * 512, 50);
    pipelining.slow(true);
    answered(511, 50);
    assertThat(pipelining.depth()).isEqualTo(1);
    answered(1, 50);
    assertThat(pipelining.depth()).isEqualTo(32);
  }

  @Test
  void shouldStopSharingForASlowCallThatHeldNobodyUp() {
    answered(1_000, 50);
    pipelining.slow(false);
    assertThat(pipelining.depth()).isEqualTo(1);
    answered(256, 50);
    assertThat(pipelining.depth()).isEqualTo(32);
  }
}
