package io.tinyfaas.gateway.ingress.http;

import static org.assertj.core.api.Assertions.assertThatCode;

import io.tinyfaas.gateway.Settings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpSettingsTest {

  @Test
  void shouldTakeItsDefaultsAndTheEndsOfARange() {
    assertThatCode(
            () ->
                new HttpSettings.Ranges(
                    Settings.with(HttpSettings.class, "tinyfaas.http.port", "-1")))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "tinyfaas.http.port, 70000, HTTP_PORT",
    "tinyfaas.http.header-timeout, 10ms, TINYFAAS_HTTP_HEADER_TIMEOUT",
    "tinyfaas.http.idle-timeout, -5s, TINYFAAS_HTTP_IDLE_TIMEOUT",
    "tinyfaas.http.body-timeout, 100h, TINYFAAS_HTTP_BODY_TIMEOUT",
    "tinyfaas.http.send-timeout, 0s, TINYFAAS_HTTP_SEND_TIMEOUT"
  })
  void shouldRefuseWhatCannotBeMeant(String property, String value, String variable) {
    Settings.assertRefused(HttpSettings.class, HttpSettings.Ranges::new, property, value, variable);
  }
}
