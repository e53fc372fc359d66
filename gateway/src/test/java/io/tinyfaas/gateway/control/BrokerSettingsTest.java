package io.tinyfaas.gateway.control;

import io.tinyfaas.gateway.Settings;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BrokerSettingsTest {

  @ParameterizedTest
  @CsvSource({"tinyfaas.broker.port, 0, TINYFAAS_BROKER_PORT"})
  void shouldRefuseWhatCannotBeMeant(String property, String value, String variable) {
    Settings.assertRefused(
        BrokerSettings.class, BrokerSettings.Ranges::new, property, value, variable);
  }
}
