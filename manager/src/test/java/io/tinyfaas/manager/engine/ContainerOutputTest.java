package io.tinyfaas.manager.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ContainerOutputTest {

  @Test
  void shouldShowWhatATerminalWouldObey() {
    assertThat(ContainerOutput.plainLines("one  \n\u001b[2Jtwo\r\n\tthree\u0007"))
        .containsExactly("one", "\\x1b[2Jtwo", "\tthree\\x07");
  }

  @Test
  void shouldKeepTheEndOfMuch() {
    assertThat(ContainerOutput.plainLines("x".repeat(100_000) + "\nthe end"))
        .hasSize(2)
        .endsWith("the end");
  }
}
