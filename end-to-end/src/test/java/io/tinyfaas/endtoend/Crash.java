package io.tinyfaas.endtoend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * A container's main process about to be killed with SIGKILL, the way the kernel does it when
 * memory is short. ({@code docker kill} is something else: an operator's wish, after which the
 * engine does not start the container again.) Prepared before the moment that matters, since the
 * process that kills is in a container, too: these tests may run in one without a right to.
 */
final class Crash implements AutoCloseable {

  private final Process killer;

  private Crash(Process killer) {
    this.killer = killer;
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
      Crash crash = new Crash(builder.redirectError(ProcessBuilder.Redirect.INHERIT).start());
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

  private void expect(String line) throws IOException {
    StringBuilder read = new StringBuilder();
    while (true) {
      int next = killer.getInputStream().read();
      if (next < 0) {
        throw new IllegalStateException("expected " + line + " but got " + read);
      }
      if (next == '\n') {
        if (read.toString().equals(line)) {
          return;
        }
        read.setLength(0);
      } else {
        read.append((char) next);
      }
    }
  }

  @Override
  public void close() {
    killer.destroy();
  }
}
