package io.tinyfaas.gateway.ingress.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.tinyfaas.gateway.ingress.mqtt.ExternalSettings.Address;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExternalSettingsTest {

  @ParameterizedTest
  @CsvSource({
    "mqtt://plc, mqtt://plc:1883",
    "mqtts://plc.example/, mqtts://plc.example:8883",
    "MQTT://192.0.2.7:1884, mqtt://192.0.2.7:1884",
    "'mqtts://[2001:db8::1]:8884', mqtts://2001:db8::1:8884",
  })
  void shouldTakeTheAddressOfABroker(String url, String address) {
    assertThat(Address.of(url)).hasToString(address);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "plc",
        "plc:1883",
        "tcp://plc",
        "mqtt://",
        "mqtt://me:secret@plc",
        "mqtt://plc/topic",
        "mqtt://plc?a=b",
        "mqtt://plc:0",
        "mqtt://plc:65536",
        "mqtt://a b"
      })
  void shouldRefuseWhatIsNone(String url) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Address.of(url))
        .withMessageStartingWith("TINYFAAS_MQTT_BROKER is mqtt://HOST:PORT or mqtts://HOST:PORT")
        .withMessageNotContaining("secret");
  }
}
