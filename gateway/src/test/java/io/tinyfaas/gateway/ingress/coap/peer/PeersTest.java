package io.tinyfaas.gateway.ingress.coap.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

class PeersTest {

  private final Peers peers = new Peers(List.of("127.0.0.0/8", "2001:db8::/32"));

  private static InetSocketAddress address(String text) {
    return new InetSocketAddress(InetAddress.ofLiteral(text), 5683);
  }

  private static InetSocketAddress address(int number) {
    return address("10.%d.%d.%d".formatted(number >> 16, number >> 8 & 255, number & 255));
  }

  @Test
  void shouldTrustTheNetworksThatAreNamed() {
    assertThat(peers.at(address("127.1.2.3")).isVerified()).isTrue();
    assertThat(peers.at(address("2001:db8::1")).isVerified()).isTrue();
    assertThat(peers.at(address("128.0.0.1")).isVerified()).isFalse();
    assertThat(peers.at(address("::1")).isVerified()).isFalse();
  }

  @Test
  void shouldSayWhatANetworkLooksLike() {
    assertThatThrownBy(() -> new Peers(List.of("all of them")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("TINYFAAS_COAP_TRUSTED_NETWORKS", "192.0.2.0/24");
  }

  @Test
  void shouldSendNoMoreThanThreeTimesWhatCame() {
    Peer peer = peers.at(address("192.0.2.1"));
    assertThat(peer.spend(1)).isFalse();
    peer.received(10);
    assertThat(peer.spend(31)).isFalse();
    assertThat(peer.spend(20)).isTrue();
    assertThat(peer.spend(11)).isFalse();
    peer.received(10);
    assertThat(peer.credit()).isEqualTo(40);
  }

  @Test
  void shouldKnowAnAddressByItsAnswerToAPing() {
    Peer peer = peers.at(address("192.0.2.1"));
    assertThat(peer.reset(17)).as("no ping was sent").isFalse();
    int mid = peer.nextPing();
    assertThat(peer.nextPing()).as("sent again").isEqualTo(mid);
    assertThat(peer.reset(mid)).isTrue();
    assertThat(peer.isVerified()).isTrue();
    assertThat(peer.spend(1 << 20)).isTrue();
    assertThat(peers.at(address("192.0.2.1"))).as("any port of it").isSameAs(peer);
  }

  @Test
  void shouldAllowThreeGuesses() {
    Peer peer = peers.at(address("192.0.2.1"));
    int mid = peer.nextPing();
    for (int guess = 1; guess <= 3; guess++) {
      assertThat(peer.reset(mid ^ guess)).isFalse();
    }
    assertThat(peer.reset(mid)).isFalse();
    assertThat(peer.nextPing()).as("left alone for a while").isNegative();
  }

  @Test
  void shouldBoundWhatItRemembersAndKeepThoseThatAreVerified() {
    Peer verified = peers.at(address("192.0.2.1"));
    verified.verify();
    peers.at(address("192.0.2.1"));
    Peer unverified = peers.at(address("192.0.2.2"));
    for (int i = 0; i < Peers.MAX_UNVERIFIED; i++) {
      peers.at(address(i));
    }
    assertThat(peers.at(address("192.0.2.1"))).isSameAs(verified);
    assertThat(peers.at(address("192.0.2.2"))).isNotSameAs(unverified);
  }

  /** One machine has all addresses of its network by IPv6, and can prove each of them. */
  @Test
  void shouldProveAddressesOfOneNetworkEachForItselfAndGiveThemOneShare() {
    Peer one = peers.at(address("2001:db9::1"));
    Peer other = peers.at(address("2001:db9::2"));
    one.verify();
    assertThat(other.isVerified()).isFalse();
    assertThat(other.transfers()).isSameAs(one.transfers());
    assertThat(peers.at(address("2001:db9:0:1::1")).transfers()).isNotSameAs(one.transfers());
    assertThat(peers.at(address("192.0.2.1")).transfers())
        .isNotSameAs(peers.at(address("192.0.2.2")).transfers());
  }

  @Test
  void shouldForgetNoOthersThatAreVerifiedForOneNetwork() {
    Peer device = peers.at(address("192.0.2.1"));
    device.verify();
    peers.at(address("192.0.2.1"));
    for (int i = 0; i < 2 * Peers.MAX_VERIFIED; i++) {
      InetSocketAddress flood = address("2001:db9::" + Integer.toHexString(i));
      peers.at(flood).verify();
      peers.at(flood);
    }
    assertThat(peers.at(address("192.0.2.1"))).isSameAs(device);
  }

  @Test
  void shouldTakeItsOwnEchoForTheSameAddressOnly() {
    EchoValues echoes = new EchoValues();
    InetAddress one = InetAddress.ofLiteral("192.0.2.1");
    InetAddress other = InetAddress.ofLiteral("192.0.2.2");
    byte[] value = echoes.next(one);
    assertThat(echoes.isOurs(value, one)).isTrue();
    assertThat(echoes.isOurs(value, other)).isFalse();
    assertThat(echoes.isOurs(new byte[8], one)).isFalse();
    assertThat(echoes.isOurs(new byte[0], one)).isFalse();
    assertThat(new EchoValues().isOurs(value, one)).isFalse();
  }
}
