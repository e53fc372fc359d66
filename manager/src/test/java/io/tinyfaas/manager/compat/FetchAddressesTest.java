package io.tinyfaas.manager.compat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.runtime.configuration.ConfigurationException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FetchAddressesTest {

  private static final FetchAddresses PUBLIC = new FetchAddresses(List.of(), Set::of);

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
    FetchAddresses addresses =
        new FetchAddresses(List.of("192.168.1.0/24", "10.1.2.3", "fd00::/8"), Set::of);

    assertThat(addresses.permit(address("192.168.1.77"))).isTrue();
    assertThat(addresses.permit(address("192.168.2.77"))).isFalse();
    assertThat(addresses.permit(address("10.1.2.3"))).isTrue();
    assertThat(addresses.permit(address("10.1.2.4"))).isFalse();
    assertThat(addresses.permit(address("fd00::1"))).isTrue();
  }

  @Test
  void shouldRefuseTheBoxsOwnPublicAddressesUnlessAllowed() throws UnknownHostException {
    Set<String> ours = Set.of("10.0.0.7", "8.8.4.4", "2606:4700:4700::7");
    FetchAddresses addresses = new FetchAddresses(List.of(), () -> ours);

    assertThat(addresses.permit(address("8.8.4.4"))).isFalse();
    assertThat(addresses.permit(address("2606:4700:4700:0:0::7"))).isFalse();
    assertThat(addresses.permit(address("8.8.8.8"))).isTrue();
    assertThat(new FetchAddresses(List.of("8.8.4.4"), () -> ours).permit(address("8.8.4.4")))
        .isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "example.com", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "::1/129"})
  void shouldRefuseARangeThatIsNone(String range) {
    assertThatThrownBy(() -> new FetchAddresses(List.of(range), Set::of))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("TINYFAAS_FETCH_ALLOW");
  }
}
