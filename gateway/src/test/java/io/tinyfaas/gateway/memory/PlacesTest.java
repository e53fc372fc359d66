package io.tinyfaas.gateway.memory;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PlacesTest {

  private final Places<String> places = new Places<>(100);

  private int takeAll(String who) {
    int before = places.has(who);
    while (places.take(who)) {
      // one after the other
    }
    return places.has(who) - before;
  }

  @Test
  void shouldLeaveAQuarterOfWhatOneTakes() {
    assertThat(takeAll("flood")).isEqualTo(76);
    assertThat(takeAll("neighbour")).isEqualTo(19);
    assertThat(takeAll("flood")).isZero();
    assertThat(places.take("newcomer")).isTrue();
    assertThat(places.taken()).isEqualTo(96);
  }

  @Test
  void shouldHaveNoMoreThanThereAre() {
    for (int who = 0; who < 100; who++) {
      assertThat(places.take("one of many " + who)).isTrue();
    }
    assertThat(places.take("newcomer")).isFalse();
    places.give("one of many 7");
    assertThat(places.has("one of many 7")).isZero();
    assertThat(places.take("newcomer")).isTrue();
  }

  /** Others have come since it had its share. */
  @Test
  void shouldLetOneThatHasMoreThanItsShareGoOnWithWhatItHas() {
    takeAll("flood");
    takeAll("neighbour");
    assertThat(places.take("flood")).isFalse();
    places.give("flood");
    places.takeFreed("flood");
    assertThat(places.has("flood")).isEqualTo(76);
    assertThat(places.taken()).isEqualTo(95);
  }

  @Test
  void shouldHaveAtLeastOne() {
    assertThat(new Places<String>(1).take("only")).isTrue();
  }
}
