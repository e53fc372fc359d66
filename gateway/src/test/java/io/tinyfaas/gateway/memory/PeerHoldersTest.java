package io.tinyfaas.gateway.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;

class PeerHoldersTest {

  private static final int MAX = 2;

  private final PeerHolders holders = new PeerHolders();

  private static InetAddress peer(int number) {
    return InetAddress.ofLiteral("10.0." + number / 256 + "." + number % 256);
  }

  @Test
  void shouldBoundEachPeerByItself() {
    Holder one = holders.of(peer(1));
    assertThat(one.begin(MAX)).isTrue();
    assertThat(one.begin(MAX)).isTrue();
    assertThat(one.begin(MAX)).isFalse();
    assertThat(holders.of(peer(2)).begin(MAX)).isTrue();
    one.end();
    assertThat(one.begin(MAX)).as("the one that was refused counts until it ends").isFalse();
    one.end();
    one.end();
    assertThat(holders.of(peer(1)).begin(MAX)).isTrue();
  }

  @Test
  void shouldBoundANetworkByIpv6AsOne() {
    assertThat(holders.of(InetAddress.ofLiteral("2001:db8::1")))
        .isSameAs(holders.of(InetAddress.ofLiteral("2001:db8::2")));
  }

  @Test
  void shouldNotGrowWithAddressesThatHaveNothing() {
    Holder running = holders.of(peer(0));
    assertThat(running.begin(MAX)).isTrue();
    BodyMemory memory = new BodyMemory(100);
    Holder holding = holders.of(peer(1));
    assertThat(memory.take(1, holding, new Holder())).isTrue();
    for (int number = 2; number < 20_000; number++) {
      Holder holder = holders.of(peer(number));
      assertThat(holder.begin(MAX)).isTrue();
      holder.end();
    }
    assertThat(holders.size()).isLessThanOrEqualTo(1_024);
    assertThat(holders.of(peer(0))).isSameAs(running);
    assertThat(holders.of(peer(1))).isSameAs(holding);
  }
}
