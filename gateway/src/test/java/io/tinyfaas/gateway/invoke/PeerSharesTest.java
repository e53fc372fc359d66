package io.tinyfaas.gateway.invoke;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;

class PeerSharesTest {

  private static final int MAX = 2;

  private final PeerShares shares = new PeerShares(MAX);

  private static InetAddress peer(int number) {
    return InetAddress.ofLiteral("10.0." + number / 256 + "." + number % 256);
  }

  @Test
  void shouldBoundEachPeerByItself() {
    PeerShares.Share one = shares.of(peer(1));
    assertThat(shares.begin(one)).isTrue();
    assertThat(shares.begin(one)).isTrue();
    assertThat(shares.begin(one)).isFalse();
    assertThat(shares.begin(shares.of(peer(2)))).isTrue();
    one.end();
    assertThat(shares.begin(one)).as("the one that was refused counts until it ends").isFalse();
    one.end();
    one.end();
    assertThat(shares.begin(shares.of(peer(1)))).isTrue();
  }

  @Test
  void shouldNotGrowWithAddressesOfWhichNothingRuns() {
    PeerShares.Share running = shares.of(peer(0));
    assertThat(shares.begin(running)).isTrue();
    for (int number = 1; number < 20_000; number++) {
      PeerShares.Share share = shares.of(peer(number));
      assertThat(shares.begin(share)).isTrue();
      share.end();
    }
    assertThat(shares.size()).isLessThanOrEqualTo(1_024);
    assertThat(shares.of(peer(0))).isSameAs(running);
  }
}
