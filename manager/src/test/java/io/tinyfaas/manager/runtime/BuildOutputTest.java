package io.tinyfaas.manager.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.manager.engine.ContainerOutput;
import org.junit.jupiter.api.Test;

class BuildOutputTest {

  private final BuildOutput output = new BuildOutput();

  @Test
  void shouldKeepTheLastLinesWithoutColours() {
    for (int n = 0; n < 100; n++) {
      output.add("\u001B[91mline " + n + "\n\u001B[0m\n");
    }

    assertThat(output.lastLines()).hasSize(ContainerOutput.LINES).endsWith("line 98", "line 99");
    assertThat(output.lastLines().getFirst()).isEqualTo("line 60");
  }

  @Test
  void shouldShowWhatATerminalWouldObey() {
    output.add("\u001b[91mwarning\u001b[0m \u001b]0;title\u0007\n");

    assertThat(output.lastLines()).containsExactly("warning \\x1b]0;title\\x07");
  }

  @Test
  void shouldCutALongLine() {
    output.add("x".repeat(100_000));

    assertThat(output.lastLines().getFirst()).hasSizeLessThan(500);
  }

  @Test
  void shouldKnowTheImagesOfTheStepsLastOneFirst() {
    output.add("Step 1/2 : FROM debian:trixie-slim\n");
    output.add(" ---> 0c0afa80ed7c\n");
    output.add(" ---> Running in 948b20db9036\n ---> 5a7d5d86d055\n");

    assertThat(output.images()).containsExactly("5a7d5d86d055", "0c0afa80ed7c");
  }

  @Test
  void shouldKnowTheContainerOfTheLatestStep() {
    assertThat(output.container()).isEmpty();
    output.add(" ---> Running in 948b20db9036\n");
    output.add("what it prints\n ---> 5a7d5d86d055\nStep 3/3 : RUN true\n");
    assertThat(output.container()).contains("948b20db9036");
    output.add(" ---> Running in 1c8b20db9036\n");
    assertThat(output.container()).contains("1c8b20db9036");
  }
}
