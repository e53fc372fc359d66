package io.tinyfaas.manager.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlainTextTest {

  @ParameterizedTest
  @CsvSource({
    "'\u001b[31mred', '\\x1b[31mred'",
    "'\u0000\u0007\b', '\\x00\\x07\\x08'",
    "'a\u007fb', 'a\\x7fb'",
    "'\u009b2J', '\\x9b2J'",
    "'a\r\nb', 'a\\x0d\\x0ab'",
  })
  void shouldShowWhatATerminalWouldObey(String text, String plain) {
    assertThat(PlainText.of(text)).isEqualTo(plain);
  }

  @Test
  void shouldLeaveTheRestAsItIs() {
    String text = "\tUmläute, 漢字, \uD83D\uDE00, \u00a0 and \\x1b";
    assertThat(PlainText.of(text)).isSameAs(text);
  }
}
