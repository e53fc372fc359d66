package io.tinyfaas.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class OutcomeTest {

  @Test
  void shouldBeSmallSinceASoakHasHundreds() {
    Histogram latencies = Outcome.histogram();
    for (int micros = 100; micros < 3_000; micros++) {
      latencies.recordValue(micros * 1_000L);
    }

    Outcome outcome = new Outcome(latencies, 0, 0, Duration.ofSeconds(1), Duration.ZERO);

    assertThat(outcome.latencies().getEstimatedFootprintInBytes()).isLessThan(80_000);
    assertThat(latencies.getEstimatedFootprintInBytes()).isGreaterThan(250_000);
    assertThat(outcome.percentile(50).orElseThrow())
        .isEqualTo(latencies.getValueAtPercentile(50) / 1e6);
    assertThat(outcome.succeeded()).isEqualTo(2_900);
  }
}
