package io.tinyfaas.gateway.invoke;

import io.tinyfaas.gateway.Settings;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InvocationSettingsTest {

  @ParameterizedTest
  @CsvSource({
    "tinyfaas.max-in-flight, 0, TINYFAAS_MAX_IN_FLIGHT",
    "tinyfaas.max-in-flight-per-function, -1, TINYFAAS_MAX_IN_FLIGHT_PER_FUNCTION",
    "tinyfaas.max-in-flight-per-peer, 0, TINYFAAS_MAX_IN_FLIGHT_PER_PEER",
    "tinyfaas.max-connections-per-handler, 0, TINYFAAS_MAX_CONNECTIONS_PER_HANDLER"
  })
  void shouldRefuseWhatCannotBeMeant(String property, String value, String variable) {
    Settings.assertRefused(
        InvocationSettings.class, InvocationSettings.Ranges::new, property, value, variable);
  }
}
