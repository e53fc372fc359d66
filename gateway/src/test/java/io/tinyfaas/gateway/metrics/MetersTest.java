package io.tinyfaas.gateway.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.metrics.Meters.Durations;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class MetersTest {

  private final Meters meters = new Meters();
  private long now = TimeUnit.HOURS.toNanos(1);

  private void time(long millis) {
    meters.time(TimeUnit.MILLISECONDS.toNanos(millis), now);
  }

  private void sleep(int seconds) {
    now += TimeUnit.SECONDS.toNanos(seconds);
  }

  private double longest() {
    return meters.durations(now).longest() / 1e6;
  }

  @Test
  void shouldCountByOutcome() {
    assertThat(meters.counts()).isEmpty();
    meters.count("ok");
    meters.count("timeout");
    meters.count("ok");
    assertThat(meters.counts()).isEqualTo(Map.of("ok", 2L, "timeout", 1L));
  }

  /** Those of a bucket are in all above it, as Prometheus has it. */
  @Test
  void shouldCountHowManyTookNoLongerThanEachBucketSays() {
    for (long millis : new long[] {1, 2, 3, 30_000, 30_001}) {
      time(millis);
    }
    Durations durations = meters.durations(now);
    assertThat(durations.within()).containsExactly(1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 5);
    assertThat(durations.count()).isEqualTo(5);
    assertThat(durations.sum()).isEqualTo(TimeUnit.MILLISECONDS.toNanos(60_007));
  }

  @Test
  void shouldForgetTheLongestAfterAWhile() {
    time(500);
    time(20);
    assertThat(longest()).isEqualTo(500);
    sleep(61);
    time(30);
    assertThat(longest()).isEqualTo(500);
    sleep(61);
    assertThat(longest()).isEqualTo(30);
    sleep(121);
    assertThat(longest()).isZero();
  }
}
