package io.tinyfaas.harness;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EventuallyTest {

  @ParameterizedTest
  @CsvSource(
      nullValues = "none",
      value = {"none, 2", "'', 2", "1, 1", "0.5, 1", "2.5, 2.5"})
  void shouldHaveThePatienceOfTheEnvironmentButNoLessThanTestsAskFor(
      String configured, double patience) {
    assertThat(Eventually.patience(configured)).isEqualTo(patience);
  }

  @Test
  void shouldNeverHaveLessPatienceThanATestAsksFor() {
    assertThat(Eventually.patient(Duration.ofSeconds(2)))
        .isBetween(Duration.ofSeconds(2), Duration.ofHours(1));
  }
}
