package io.tinyfaas.gateway;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GatewaySettingsTest {

  @ParameterizedTest
  @CsvSource({"tinyfaas.stop-timeout, -1s, TINYFAAS_STOP_TIMEOUT"})
  void shouldRefuseWhatCannotBeMeant(String property, String value, String variable) {
    Settings.assertRefused(
        GatewaySettings.class, GatewaySettings.Ranges::new, property, value, variable);
  }
}
