package io.tinyfaas.gateway.ingress.coap.duplicate;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RecentPeersTest {

  private static final InetAddress FLOOD = InetAddress.ofLiteral("192.0.2.1");

  private final Set<Object> proved = new HashSet<>();
  private final RecentPeers<Object, String> peers = new RecentPeers<>(proved::contains);

  private static InetSocketAddress device(int number) {
    return new InetSocketAddress(InetAddress.ofLiteral("198.51.100." + number), 5683);
  }

  private void hear(Object peer) {
    peers.of(peer, peer::toString);
  }

  private void forgetFor(Object peer) {
    hear(peer);
    peers.remove(peers.eldestFor(peer).getKey());
  }

  @Test
  void shouldForgetTheOneSilentForLongest() {
    hear(device(1));
    hear(device(2));
    hear(device(3));
    peers.get(device(1));
    assertThat(peers.eldestFor(device(2)).getKey()).isEqualTo(device(3));
    forgetFor(device(4));
    assertThat(peers.has(device(2))).isFalse();
    assertThat(peers.size()).isEqualTo(3);
  }

  @Test
  void shouldForgetNoOthersForOneAddressThatHasThreeQuarters() {
    for (int number = 1; number <= 40; number++) {
      hear(device(number));
    }
    for (int port = 1; port <= 1_000; port++) {
      forgetFor(new InetSocketAddress(FLOOD, port));
    }
    long others = peers.values().filter(peer -> !peer.contains("192.0.2.1")).count();
    assertThat(others).isBetween(9L, 10L);
    assertThat(peers.size()).isEqualTo(40);
    assertThat(peers.has(new InetSocketAddress(FLOOD, 1_000))).isTrue();
    forgetFor(device(41));
    assertThat(peers.has(device(41))).isTrue();
  }

  @Test
  void shouldForgetNoOthersForOneNetworkByIpv6() {
    for (int number = 1; number <= 40; number++) {
      hear(device(number));
    }
    for (int number = 1; number <= 1_000; number++) {
      String address = "2001:db8::" + Integer.toHexString(number);
      forgetFor(new InetSocketAddress(InetAddress.ofLiteral(address), 5683));
    }
    assertThat(peers.values()).filteredOn(peer -> peer.contains("198.51.100.")).hasSize(10);
  }

  @Test
  void shouldLeaveAnEighthToThoseThatAreNotProved() {
    for (int number = 1; number <= 40; number++) {
      hear(device(number));
    }
    for (int number = 1; number <= 200; number++) {
      InetSocketAddress other =
          new InetSocketAddress(InetAddress.ofLiteral("203.0.113." + number), 1);
      proved.add(other);
      forgetFor(other);
    }
    assertThat(peers.values()).filteredOn(peer -> peer.contains("198.51.100.")).hasSize(5);
    for (int number = 41; number <= 200; number++) {
      forgetFor(device(number));
    }
    assertThat(peers.values()).filteredOn(peer -> peer.contains("203.0.113.")).hasSize(35);
  }

  @Test
  void shouldMoveWhoIsProved() {
    hear(device(1));
    hear(device(2));
    proved.add(device(1));
    hear(device(1));
    assertThat(peers.size()).isEqualTo(2);
    assertThat(peers.eldestFor(device(1)).getKey()).isEqualTo(device(2));
  }

  @Test
  void shouldFindNoOtherThanTheOnlyOne() {
    hear(device(1));
    assertThat(peers.eldestFor(device(1))).isNull();
  }
}
