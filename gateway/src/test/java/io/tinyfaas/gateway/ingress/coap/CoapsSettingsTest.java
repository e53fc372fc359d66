package io.tinyfaas.gateway.ingress.coap;

import static org.assertj.core.api.Assertions.assertThatCode;

import io.tinyfaas.gateway.Settings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CoapsSettingsTest {

  @Test
  void shouldTakeItsDefaultsAndTheEndsOfARange() {
    assertThatCode(
            () ->
                new CoapsSettings.Ranges(
                    Settings.with(CoapsSettings.class, "tinyfaas.coaps.port", "-1")))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({"tinyfaas.coaps.port, -2, COAPS_PORT"})
  void shouldRefuseWhatCannotBeMeant(String property, String value, String variable) {
    Settings.assertRefused(
        CoapsSettings.class, CoapsSettings.Ranges::new, property, value, variable);
  }
}
