package io.tinyfaas.contract.control;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.contract.device.Device;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.DeviceName;
import io.tinyfaas.contract.device.KeySeal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceTableTest {

  private static final Path GOLDEN = Path.of("golden/control/device-table.json");

  /** Seals the key of the golden table: the bytes 0 to 31. */
  private static final KeySeal SEAL = seal(0);

  private static KeySeal seal(int first) {
    byte[] secret = new byte[32];
    for (int i = 0; i < secret.length; i++) {
      secret[i] = (byte) (first + i);
    }
    return new KeySeal(secret);
  }

  private static DeviceTable golden() throws IOException {
    return ControlMessages.decodeDeviceTable(Files.readAllBytes(GOLDEN));
  }

  @Test
  void shouldReadAndWriteTheGoldenDeviceTable() throws IOException {
    DeviceTable table = golden();

    assertThat(table.revision()).isEqualTo(new Revision(7, 3));
    assertThat(table.devices())
        .extracting(device -> device.name().value())
        .containsExactly("button-1", "lamp", "barn");
    assertThat(new String(ControlMessages.encode(table), UTF_8))
        .isEqualToIgnoringWhitespace(Files.readString(GOLDEN));
  }

  @Test
  void shouldOpenTheGoldenKeyWithTheRightSealOnly() throws IOException {
    Device button = golden().devices().getFirst();
    DeviceCredential.Psk psk = (DeviceCredential.Psk) button.credential();

    assertThat(SEAL.open(button.name(), psk)).contains("correct-horse-battery".getBytes(UTF_8));
    assertThat(SEAL.open(new DeviceName("button-2"), psk)).as("another device's").isEmpty();
    assertThat(seal(1).open(button.name(), psk)).as("another installation's").isEmpty();
    assertThat(SEAL.open(button.name(), new DeviceCredential.Psk("AAAA"))).isEmpty();
    assertThat(SEAL.open(button.name(), new DeviceCredential.Psk("A"))).isEmpty();
  }

  @Test
  void shouldSealTheSameKeyDifferentlyEachTime() {
    DeviceName name = new DeviceName("a");
    byte[] key = "0123456789abcdef".getBytes(UTF_8);

    String sealed = SEAL.seal(name, key);

    assertThat(SEAL.seal(name, key)).isNotEqualTo(sealed);
    assertThat(SEAL.open(name, new DeviceCredential.Psk(sealed))).contains(key);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"name\":\"a/b\",\"credential\":\"psk:AAAA\"}",
        "{\"name\":\"\",\"credential\":\"psk:AAAA\"}",
        "{\"name\":\".hidden\",\"credential\":\"psk:AAAA\"}",
        "{\"name\":\"a\",\"credential\":\"psk:\"}",
        "{\"name\":\"a\",\"credential\":\"key:AAAA\"}",
        "{\"name\":\"a\",\"credential\":\"AAAA\"}",
        "{\"name\":\"a\",\"credential\":\"certificate:AAAA\"}",
        "{\"name\":\"a\"}",
        "{\"name\":\"a\",\"credential\":\"psk:AAAA\"},{\"name\":\"a\",\"credential\":\"psk:AAAB\"}",
        "null"
      })
  void shouldRefuseWhatIsNoDevice(String devices) {
    String table = "{\"revision\":{\"epoch\":1,\"number\":1},\"devices\":[" + devices + "]}";

    assertThatThrownBy(() -> ControlMessages.decodeDeviceTable(table.getBytes(UTF_8)))
        .isInstanceOf(IOException.class);
  }
}
