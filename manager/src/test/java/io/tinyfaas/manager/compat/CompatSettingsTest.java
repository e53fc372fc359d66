package io.tinyfaas.manager.compat;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.SmallRyeConfigBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompatSettingsTest {

  @Test
  void shouldTakeWhatIsUsual() {
    assertThatCode(() -> new CompatSettings.Ranges(with("tinyfaas.fetch-timeout", "1m")))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "tinyfaas.coap-port, 65536, COAP_PORT",
    "tinyfaas.http-port, -2, HTTP_PORT",
    "tinyfaas.grpc-port, 99999, GRPC_PORT",
    "tinyfaas.fetch-timeout, 0s, TINYFAAS_FETCH_TIMEOUT"
  })
  void shouldRefuseWhatCannotBeMeant(String property, String value, String variable) {
    assertThatThrownBy(() -> new CompatSettings.Ranges(with(property, value)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageStartingWith(variable + " is ");
  }

  private static CompatSettings with(String property, String value) {
    return new SmallRyeConfigBuilder()
        .addDiscoveredConverters()
        .withMapping(CompatSettings.class)
        .withDefaultValue("tinyfaas.coap-port", "5683")
        .withDefaultValue("tinyfaas.http-port", "8000")
        .withDefaultValue("tinyfaas.grpc-port", "-1")
        .withDefaultValue(property, value)
        .build()
        .getConfigMapping(CompatSettings.class);
  }
}
