package io.tinyfaas.contract.setting;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsCheckTest {

  private final SettingsCheck check = new SettingsCheck();

  @Test
  void shouldTakeBothEndsOfARange() {
    check
        .number("N", 1, 1, 9)
        .number("N", 9, 1, 9)
        .time("T", Duration.ofSeconds(1), Duration.ofSeconds(1), Duration.ofMinutes(1))
        .time("T", Duration.ofMinutes(1), Duration.ofSeconds(1), Duration.ofMinutes(1))
        .size("S", BigInteger.valueOf(1 << 10), 1 << 10, 64 << 20)
        .size("S", BigInteger.valueOf(64 << 20), 1 << 10, 64 << 20)
        .port("P", -1)
        .port("P", 65_535);

    assertThatCode(() -> check.orThrow(IllegalArgumentException::new)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(longs = {Long.MIN_VALUE, 0, 10, Long.MAX_VALUE})
  void shouldRefuseANumberOutside(long value) {
    assertRefused(check.number("N", value, 1, 9), "N is " + value + ": use a number from 1 to 9.");
  }

  @Test
  void shouldRefuseATimeOutside() {
    assertRefused(
        check
            .time("A", Duration.ofSeconds(-5), Duration.ZERO, Duration.ofMinutes(90))
            .time("B", Duration.ofMillis(1901), Duration.ofMillis(1), Duration.ofMillis(1900))
            .time("C", Duration.ofSeconds(Long.MAX_VALUE), Duration.ZERO, Duration.ofHours(24)),
        "A is -5s: use a time from 0s to 1h30m. B is 1.901s: use a time from 0.001s to 1.9s. C is"
            + " 2562047788015215h30m7s: use a time from 0s to 24h.");
  }

  @Test
  void shouldRefuseASizeOutside() {
    assertRefused(
        check
            .size("A", BigInteger.ZERO, 1, 1536)
            .size("B", BigInteger.TWO.pow(90), 1 << 10, 1L << 30),
        "A is 0 bytes: use a size from 1 to 1536. B is 1237940039285380274899124224 bytes: use a"
            + " size from 1K to 1G.");
  }

  @Test
  void shouldRefuseWhatDoesNotGoTogether() {
    assertRefused(
        check.require(true, () -> "A is 1: fine.").require(false, () -> "B is 2: use A."),
        "B is 2: use A.");
  }

  @Test
  void shouldRefuseAPortThatThereIsNot() {
    assertRefused(
        check.port("COAP_PORT", 65_536),
        "COAP_PORT is 65536: use a port from 0 to 65535, or -1 to switch the protocol off.");
  }

  private static void assertRefused(SettingsCheck check, String message) {
    assertThatThrownBy(() -> check.orThrow(IllegalArgumentException::new))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }
}
