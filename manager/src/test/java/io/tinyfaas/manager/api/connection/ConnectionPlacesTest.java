package io.tinyfaas.manager.api.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ConnectionPlacesTest {

  private final List<String> ended = new ArrayList<>();
  private final ConnectionPlaces<String> places = new ConnectionPlaces<>(8, 1, ended::add);

  @Test
  void shouldGiveOneAddressNoMoreThanIsLeft() {
    assertThat(take("a", 4)).isEqualTo(4);
    assertThat(ended).isEmpty();

    assertThat(places.take("a5", address("a"), false)).isTrue();
    assertThat(ended).containsExactly("a1");
  }

  @Test
  void shouldGiveEachAddressAPlaceWhileOthersHaveSeveral() {
    take("a", 4);
    take("b", 2);
    take("c", 1);
    take("d", 1);

    assertThat(ended).isEmpty();
    assertThat(places.take("e1", address("e"), false)).isTrue();
    assertThat(ended).containsExactly("a1");
  }

  @Test
  void shouldTakeFromNobodyWhoHoldsNoMore() {
    take("a", 4);
    take("b", 2);
    take("c", 1);
    busy("a", 4);
    busy("b", 2);

    assertThat(places.take("c2", address("c"), false)).isTrue();
    assertThat(ended).as("its own, as the others are busy").containsExactly("c1");

    take("d", 1);
    ended.clear();
    places.busy("d1");
    assertThat(places.take("d2", address("d"), false)).isFalse();
    assertThat(ended).isEmpty();
  }

  @Test
  void shouldEndTheOneThatHasWaitedLongest() {
    take("a", 4);
    places.busy("a1");
    places.busy("a2");
    places.answered("a1");

    for (String next : List.of("a5", "a6", "a7", "a8")) {
      assertThat(places.take(next, address("a"), false)).isTrue();
    }

    assertThat(ended).containsExactly("a3", "a4", "a1", "a5");
  }

  @Test
  void shouldHaveAPlaceForTheMachineItselfWhateverOthersDo() {
    for (String from : List.of("a", "b", "c", "d")) {
      take(from, 4);
      busy(from, 4);
    }
    assertThat(places.take("e1", address("e"), false)).isFalse();

    assertThat(places.take("own", address("own"), true)).isTrue();
    places.busy("own");
    assertThat(places.take("own again", address("own"), true)).isFalse();
  }

  @Test
  void shouldHaveThePlaceAgainOfOneThatIsClosed() {
    take("a", 4);
    IntStream.rangeClosed(1, 4).forEach(i -> places.release("a" + i));
    places.release("a1");
    places.answered("a1");

    assertThat(take("b", 4)).isEqualTo(4);
    assertThat(ended).isEmpty();
  }

  /** In it, one machine may have as many addresses as it likes. */
  @Test
  void shouldCountANetworkAsOne() {
    for (int i = 1; i <= 4; i++) {
      assertThat(places.take("a" + i, InetAddress.ofLiteral("2001:db8:0:1::" + i), false)).isTrue();
    }
    assertThat(ended).isEmpty();

    assertThat(places.take("a5", InetAddress.ofLiteral("2001:db8:0:1:ffff::5"), false)).isTrue();
    assertThat(ended).containsExactly("a1");

    ended.clear();
    assertThat(places.take("b1", InetAddress.ofLiteral("2001:db8:0:2::1"), false)).isTrue();
    assertThat(ended).isEmpty();
    List.of("a2", "a3", "a4", "a5", "b1").forEach(places::release);
    assertThat(take("c", 4)).isEqualTo(4);
    assertThat(ended).isEmpty();
  }

  /**
   * @return how many got a place
   */
  private int take(String from, int count) {
    return (int)
        IntStream.rangeClosed(1, count)
            .filter(i -> places.take(from + i, address(from), false))
            .count();
  }

  private void busy(String from, int count) {
    IntStream.rangeClosed(1, count).forEach(i -> places.busy(from + i));
  }

  private static InetAddress address(String name) {
    try {
      return InetAddress.getByAddress(new byte[] {10, 0, 0, (byte) name.charAt(0)});
    } catch (UnknownHostException e) {
      throw new AssertionError(e);
    }
  }
}
