package io.tinyfaas.manager.network;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AddressPoolTest {

  @ParameterizedTest
  @CsvSource({
    "10.200.0.0/16, 10.200.0.0/16, true",
    "10.200.0.0/16, 10.200.255.0/24, true",
    "10.200.0.0/16, 10.200.0.1/32, true",
    "10.200.0.0/16, 10.201.0.0/16, false",
    "10.200.0.0/16, 10.199.255.0/24, false",
    "10.200.0.0/16, 10.200.0.0/15, false",
    "200.0.0.0/8, 200.255.0.0/16, true",
    "200.0.0.0/8, 0.0.0.0/0, false",
    "10.200.0.0/16, fd00::/8, false",
  })
  void shouldTellWhatIsInIt(String pool, String range, boolean is) {
    assertThat(AddressPool.parse(pool).has(range)).isEqualTo(is);
  }
}
