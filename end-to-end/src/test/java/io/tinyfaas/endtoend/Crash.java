package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.within;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A container's main process about to be killed with SIGKILL, the way the kernel does it when
 * memory is short. ({@code docker kill} is something else: an operator's wish, after which the
 * engine does not start the container again.) Prepared before the moment that matters, since the
 * process that kills is in a container, too: these tests may run in one without a right to.
 */
final class Crash implements AutoCloseable {

  private final Process killer;
  private final Queue<String> printed = new ConcurrentLinkedQueue<>();

  private Crash(Process killer) {
    this.killer = killer;
    Thread.ofPlatform().daemon().name("killer " + killer.pid()).start(this::read);
  }

  static Crash of(Installation system, String container) {
    String pid = system.docker("inspect", "--format", "{{.State.Pid}}", container).getFirst();
    ProcessBuilder builder =
        system.process(
            "docker",
            "run",
            "--rm",
            "--interactive",
            "--pid=host",
            "--network=none",
            "debian:trixie-slim",
            "sh",
            "-c",
            "echo ready; read now && kill -9 " + pid + " && echo done");
    try {
      Crash crash = new Crash(builder.redirectErrorStream(true).start());
      crash.expect("ready");
      return crash;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns when the signal has been sent. */
  void now() {
    try {
      killer.getOutputStream().write("now\n".getBytes(StandardCharsets.US_ASCII));
      killer.getOutputStream().flush();
      expect("done");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void read() {
    try (BufferedReader lines = killer.inputReader()) {
      lines.lines().forEach(printed::add);
    } catch (IOException | UncheckedIOException e) {
      // It was ended.
    }
  }

  private void expect(String line) {
    within(Duration.ofMinutes(1))
        .pollInterval(Duration.ofMillis(1))
        .alias("a killer that is " + line)
        .until(() -> printed.contains(line) || !killer.isAlive());
    if (!printed.contains(line)) {
      throw new AssertionError("expected " + line + " but got " + printed);
    }
  }

  @Override
  public void close() {
    killer.destroy();
  }
}
