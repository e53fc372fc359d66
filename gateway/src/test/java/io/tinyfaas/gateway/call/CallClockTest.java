package io.tinyfaas.gateway.call;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class CallClockTest {

  private static final long YEARS = 1_700_000_000_000L;

  private long wall = 5_000;
  private long steady = -3;
  private final CallClock clock = new CallClock(() -> wall, () -> steady);

  private void pass(long millis) {
    wall += millis;
    steady += TimeUnit.MILLISECONDS.toNanos(millis);
  }

  @Test
  void shouldRunAsTimePasses() {
    assertThat(clock.now()).isBetween(4_999L, 5_001L);
    pass(100_000);
    assertThat(clock.now()).isBetween(104_999L, 105_001L);
    assertThat(clock.jump()).isZero();
  }

  @Test
  void shouldFollowWhenItIsAskedTo() {
    wall += YEARS;
    assertThat(clock.now()).isLessThan(10_000);

    assertThat(clock.jump()).isBetween(YEARS - 1, YEARS + 1);
    assertThat(clock.now()).isEqualTo(wall);
    assertThat(clock.jump()).isZero();
    wall -= YEARS;
    assertThat(clock.jump()).isEqualTo(-YEARS);
    assertThat(clock.now()).isEqualTo(wall);
  }

  @Test
  void shouldNotFollowWhatIsLittle() {
    wall += 59_000;
    assertThat(clock.jump()).isZero();
    wall -= 110_000;
    assertThat(clock.jump()).isZero();
    wall -= 20_000;
    assertThat(clock.jump()).isNegative();
  }

  @Test
  void shouldSayHowFarItIsBehind() {
    assertThat(clock.behind(YEARS)).isBetween(YEARS - 5_001, YEARS - 4_999);
    assertThat(clock.behind(5_000)).isZero();
    assertThat(clock.behind(60_000)).isZero();
    assertThat(clock.behind(0)).isZero(); // nothing is known
  }
}
