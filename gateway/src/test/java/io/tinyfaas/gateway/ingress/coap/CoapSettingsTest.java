package io.tinyfaas.gateway.ingress.coap;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.gateway.Settings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CoapSettingsTest {

  @Test
  void shouldTakeItsDefaultsAndTheEndsOfARange() {
    assertThatCode(
            () ->
                new CoapSettings.Ranges(
                    Settings.with(CoapSettings.class, "tinyfaas.coap.port", "-1")))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "tinyfaas.coap.port, 65536, COAP_PORT",
    "tinyfaas.coap.ack-delay, 2s, TINYFAAS_COAP_ACK_DELAY"
  })
  void shouldRefuseWhatCannotBeMeant(String property, String value, String variable) {
    Settings.assertRefused(CoapSettings.class, CoapSettings.Ranges::new, property, value, variable);
  }

  @ParameterizedTest
  @ValueSource(strings = {"foo", "192.0.2.0/40", "192.0.2.0"})
  void shouldRefuseTrustedNetworksThatAreNone(String networks) {
    CoapSettings settings =
        Settings.with(CoapSettings.class, "tinyfaas.coap.trusted-networks", networks);

    assertThatThrownBy(() -> new CoapSettings.Ranges(settings))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageStartingWith("TINYFAAS_COAP_TRUSTED_NETWORKS has \"" + networks + '"');
  }
}
