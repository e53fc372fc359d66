package io.tinyfaas.contract.peer;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;

class PeerNetworkTest {

  private static InetAddress of(String address) {
    return PeerNetwork.of(InetAddress.ofLiteral(address));
  }

  @Test
  void shouldCountEachIpv4AddressForItself() {
    assertThat(of("192.0.2.1")).isEqualTo(InetAddress.ofLiteral("192.0.2.1"));
  }

  @Test
  void shouldCountIpv6AddressesByTheirFirst64Bits() {
    assertThat(of("2001:db8:1:2::1")).isEqualTo(of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assertThat(of("2001:db8:1:2::1")).isNotEqualTo(of("2001:db8:1:3::1"));
  }

  @Test
  void shouldCountOneLinkForOne() {
    assertThat(of("fe80::1")).isEqualTo(of("fe80::2"));
  }

  /** Java makes IPv4 addresses of them by itself, but not where a scope is given. */
  @Test
  void shouldCountMappedIpv4AddressesAsThese() throws UnknownHostException {
    byte[] mapped = new byte[16];
    mapped[10] = mapped[11] = (byte) 0xff;
    System.arraycopy(InetAddress.ofLiteral("192.0.2.1").getAddress(), 0, mapped, 12, 4);

    assertThat(PeerNetwork.of(Inet6Address.getByAddress(null, mapped, 0)))
        .isEqualTo(InetAddress.ofLiteral("192.0.2.1"));
  }
}
