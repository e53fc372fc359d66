package io.tinyfaas.manager.network;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.SmallRyeConfigBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkSettingsTest {

  @Test
  void shouldTakeTheSmallestRange() {
    assertThatCode(() -> new NetworkSettings.Ranges(with("10.200.0.0/26")))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.200.0.0", "10.200.0.0/30", "10.200.300.0/16"})
  void shouldRefuseWhatIsNoRangeOfAddresses(String pool) {
    assertThatThrownBy(() -> new NetworkSettings.Ranges(with(pool)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageStartingWith("TINYFAAS_ADDRESS_POOL is ");
  }

  private static NetworkSettings with(String pool) {
    return new SmallRyeConfigBuilder()
        .addDiscoveredConverters()
        .withMapping(NetworkSettings.class)
        .withDefaultValue("tinyfaas.address-pool", pool)
        .build()
        .getConfigMapping(NetworkSettings.class);
  }
}
