package io.tinyfaas.harness;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandTest {

  @TempDir Path folder;

  @Test
  void shouldReturnWhatAProgramPrints() {
    assertThat(Command.of("sh", "-c", "echo one; echo $TWO >&2").with(Map.of("TWO", "2")).lines())
        .containsExactly("one", "2");
  }

  @Test
  void shouldRunInAFolderAndReadAFile() throws Exception {
    Path input = Files.writeString(folder.resolve("input"), "read me");

    assertThat(Command.of("sh", "-c", "pwd; cat").in(folder).reading(input).lines())
        .containsExactly(folder.toRealPath().toString(), "read me");
  }

  @Test
  void shouldGiveAProgramThatReadsNothingToRead() {
    assertThat(Command.of("cat").lines()).isEmpty();
  }

  @Test
  void shouldReadMoreThanAPipeHolds() {
    assertThat(Command.of("sh", "-c", "seq 100000").lines()).hasSize(100_000);
  }

  @Test
  void shouldSayWhatAProgramPrintedThatFailed() {
    assertThatThrownBy(() -> Command.of("sh", "-c", "echo why; exit 3").lines())
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("ended with 3")
        .hasMessageContaining("why");
  }

  @Test
  void shouldLeaveToTheCallerWhatAnExitCodeMeans() {
    assertThat(Command.of("sh", "-c", "echo why; exit 3").run())
        .isEqualTo(new Command.Result(3, "why\n"));
  }

  @Test
  void shouldKillAProgramThatTakesTooLongWithAllThatItStarted() {
    Path pid = folder.resolve("pid");

    assertThatThrownBy(
            () ->
                Command.of("sh", "-c", "echo begun; sleep 1000 & echo $! > " + pid + "; wait")
                    .within(Duration.ofMillis(500))
                    .lines())
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("did not end within")
        .hasMessageContaining("begun");

    eventually().until(() -> !isAlive(Long.parseLong(Files.readString(pid).strip())));
  }

  @Test
  void shouldReturnThoughSomethingThatAProgramStartedHoldsItsOutput() throws Exception {
    Path pid = folder.resolve("pid");

    assertThat(Command.of("sh", "-c", "sleep 1000 & echo $! > " + pid + "; echo done").lines())
        .containsExactly("done");

    ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()))
        .ifPresent(ProcessHandle::destroyForcibly);
  }

  @Test
  void shouldTellWhatAProgramThatRunsHasPrinted() {
    try (Command.Running running = Command.of("sh", "-c", "echo begun; sleep 1000").start()) {
      eventually().until(() -> running.output().equals("begun\n"));
      assertThat(running.isAlive()).isTrue();

      running.terminate();

      assertThat(running.awaitExit(Duration.ofSeconds(20))).isNotZero();
    }
  }

  private static boolean isAlive(long pid) {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }
}
