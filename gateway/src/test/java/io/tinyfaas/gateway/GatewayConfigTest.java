package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.runtime.configuration.ConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GatewayConfigTest {

  @Test
  void shouldTakeItsDefaultsAndTheEndsOfARange() {
    assertThatCode(
            () ->
                new GatewayConfig.Ranges(
                    Settings.with(GatewayConfig.class, "tinyfaas.max-body", "64M")))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "tinyfaas.max-body, 1, TINYFAAS_MAX_BODY",
    "tinyfaas.max-body, 65M, TINYFAAS_MAX_BODY",
    "tinyfaas.max-body, 999999999999T, TINYFAAS_MAX_BODY",
    "tinyfaas.max-in-flight, 0, TINYFAAS_MAX_IN_FLIGHT",
    "tinyfaas.max-in-flight-per-function, -1, TINYFAAS_MAX_IN_FLIGHT_PER_FUNCTION",
    "tinyfaas.max-connections-per-handler, 0, TINYFAAS_MAX_CONNECTIONS_PER_HANDLER",
    "tinyfaas.stop-timeout, -1s, TINYFAAS_STOP_TIMEOUT",
    "tinyfaas.coap.port, 65536, COAP_PORT",
    "tinyfaas.coaps.port, -2, COAPS_PORT",
    "tinyfaas.coap.ack-delay, 2s, TINYFAAS_COAP_ACK_DELAY",
    "tinyfaas.coap.max-in-flight-per-peer, 0, TINYFAAS_COAP_MAX_IN_FLIGHT_PER_PEER",
    "tinyfaas.coap.max-observers, 2000000000, TINYFAAS_COAP_MAX_OBSERVERS",
    "tinyfaas.broker.port, 0, TINYFAAS_BROKER_PORT"
  })
  void shouldRefuseWhatCannotBeMeant(String property, String value, String variable) {
    assertThatThrownBy(
            () -> new GatewayConfig.Ranges(Settings.with(GatewayConfig.class, property, value)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageStartingWith(variable + " is ");
  }
}
