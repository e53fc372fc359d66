package io.tinyfaas.gateway.memory;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.gateway.Settings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeapSettingsTest {

  @Test
  void shouldTakeItsDefaultsAndTheEndsOfARange() {
    assertThatCode(
            () ->
                new HeapSettingsCheck(
                    Settings.with(HeapSettings.class, "tinyfaas.max-body", "64M"), 960L << 20))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({"1M, 79", "2M, 88", "8M, 143", "64M, 655"})
  void shouldTakeALargestBodyThatTheHeapHasRoomFor(String body, int heapMebibytes) {
    HeapSettings settings = Settings.with(HeapSettings.class, "tinyfaas.max-body", body);
    assertThatCode(() -> new HeapSettingsCheck(settings, (long) heapMebibytes << 20))
        .doesNotThrowAnyException();
    assertThatThrownBy(() -> new HeapSettingsCheck(settings, (heapMebibytes - 1L) << 20))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("TINYFAAS_MAX_BODY is ");
  }

  @Test
  void shouldSayWhatToDoAboutALargestBodyThatTheHeapHasNoRoomFor() {
    assertThatThrownBy(
            () ->
                new HeapSettingsCheck(
                    Settings.with(HeapSettings.class, "tinyfaas.max-body", "8M"), 34L << 20))
        .hasMessage(
            "TINYFAAS_MAX_BODY is 8388608 bytes, which the gateway's heap of 34 MiB has no room for"
                + " besides its other limits: set TINYFAAS_GATEWAY_HEAP to 147m and"
                + " TINYFAAS_GATEWAY_MEMORY to 394m, or lower one (docs/limits.md).");
  }

  @ParameterizedTest
  @CsvSource({
    "tinyfaas.max-body, 1, TINYFAAS_MAX_BODY",
    "tinyfaas.max-body, 65M, TINYFAAS_MAX_BODY",
    "tinyfaas.max-body, 999999999999T, TINYFAAS_MAX_BODY",
    "tinyfaas.http.max-connections, 0, TINYFAAS_HTTP_MAX_CONNECTIONS",
    "tinyfaas.grpc.max-connections, 0, TINYFAAS_GRPC_MAX_CONNECTIONS",
    "tinyfaas.mqtt.max-connections, 0, TINYFAAS_MQTT_MAX_CONNECTIONS",
    "tinyfaas.coap.max-observers, 2000000000, TINYFAAS_COAP_MAX_OBSERVERS"
  })
  void shouldRefuseWhatCannotBeMeant(String property, String value, String variable) {
    Settings.assertRefused(HeapSettings.class, HeapSettingsCheck::new, property, value, variable);
  }
}
