package io.tinyfaas.gateway.route;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DepthsTest {

  private final Depths depths = new Depths();

  @Test
  void shouldBeginOutside() {
    assertThat(depths.least()).isZero();
    assertThat(depths.greatest()).isZero();
  }

  @Test
  void shouldKnowTheLeastAndTheGreatestOfWhatIsRunning() {
    depths.begin(3);
    depths.begin(5);
    depths.begin(5);
    depths.begin(8);
    depths.end(8);
    depths.end(5);

    assertThat(depths.least()).isEqualTo(3);
    assertThat(depths.greatest()).isEqualTo(5);
  }

  @Test
  void shouldTakeWhatRanLastForWhatIsDoneAfterIt() {
    depths.begin(2);
    depths.begin(6);
    depths.end(2);
    depths.end(6);

    assertThat(depths.least()).isEqualTo(6);
    assertThat(depths.greatest()).isEqualTo(6);
  }
}
