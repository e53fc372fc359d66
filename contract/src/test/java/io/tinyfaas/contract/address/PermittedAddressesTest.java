package io.tinyfaas.contract.address;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PermittedAddressesTest {

  private static final PermittedAddresses PUBLIC = new PermittedAddresses(List.of(), Set::of);

  private static InetAddress address(String text) throws UnknownHostException {
    return InetAddress.getByName(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "8.8.8.8",
        "203.0.113.80",
        "140.82.121.4",
        "100.63.0.1",
        "172.32.0.1",
        "2606:4700:4700::1111"
      })
  void shouldPermitPublicAddresses(String public_) throws UnknownHostException {
    assertThat(PUBLIC.permit(address(public_))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:192.168.1.1",
        "::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "2001::1",
        "2002:7f00:1::",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1"
      })
  void shouldRefuseAllOthers(String special) throws UnknownHostException {
    assertThat(PUBLIC.permit(address(special))).isFalse();
  }

  @Test
  void shouldPermitWhatTheOperatorAllowsAndNoMore() throws UnknownHostException {
    PermittedAddresses addresses =
        new PermittedAddresses(List.of("192.168.1.0/24", "10.1.2.3", "fd00::/8"), Set::of);

    assertThat(addresses.permit(address("192.168.1.77"))).isTrue();
    assertThat(addresses.permit(address("192.168.2.77"))).isFalse();
    assertThat(addresses.permit(address("10.1.2.3"))).isTrue();
    assertThat(addresses.permit(address("10.1.2.4"))).isFalse();
    assertThat(addresses.permit(address("fd00::1"))).isTrue();
  }

  @Test
  void shouldRefuseTheBoxsOwnPublicAddressesUnlessAllowed() throws UnknownHostException {
    Set<String> ours = Set.of("10.0.0.7", "8.8.4.4", "2606:4700:4700::7");
    PermittedAddresses addresses = new PermittedAddresses(List.of(), () -> ours);

    assertThat(addresses.permit(address("8.8.4.4"))).isFalse();
    assertThat(addresses.permit(address("2606:4700:4700:0:0::7"))).isFalse();
    assertThat(addresses.permit(address("8.8.8.8"))).isTrue();
    assertThat(new PermittedAddresses(List.of("8.8.4.4"), () -> ours).permit(address("8.8.4.4")))
        .isTrue();
  }

  /** Whoever allows the LAN does not mean the box that is in it. */
  @Test
  void shouldPermitTheBoxItselfOnlyWhereItIsNamed() throws UnknownHostException {
    Set<String> ours = Set.of("192.168.1.7");
    PermittedAddresses all =
        new PermittedAddresses(List.of("0.0.0.0/0", "::/0", "192.168.1.0/24"), () -> ours);

    assertThat(all.permit(address("192.168.1.8"))).isTrue();
    assertThat(all.permit(address("192.168.1.7"))).isFalse();
    assertThat(all.isOurs(address("192.168.1.7"))).isTrue();
    assertThat(all.isOurs(address("192.168.1.8"))).isFalse();
    for (String near :
        List.of("127.0.0.1", "127.8.0.1", "169.254.169.254", "0.0.0.0", "::1", "fe80::1")) {
      assertThat(all.permit(address(near))).as(near).isFalse();
    }
    PermittedAddresses named =
        new PermittedAddresses(List.of("127.0.0.1", "192.168.1.7/32"), () -> ours);
    assertThat(named.permit(address("127.0.0.1"))).isTrue();
    assertThat(named.permit(address("127.0.0.2"))).isFalse();
    assertThat(named.permit(address("192.168.1.7"))).isTrue();
    assertThat(named.isOurs(address("127.0.0.1"))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "example.com", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "::1/129"})
  void shouldRefuseARangeThatIsNone(String range) {
    assertThatThrownBy(() -> new PermittedAddresses(List.of(range), Set::of))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("TINYFAAS_FETCH_ALLOW");
  }
}
