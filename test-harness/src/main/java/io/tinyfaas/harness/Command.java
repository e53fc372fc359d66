package io.tinyfaas.harness;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A program that a test runs. What it prints is read while it runs, and it is killed with all that
 * it has started when its time is over, so that no test waits for ever.
 *
 * <p>Each method that configures it changes this command and returns it.
 */
public final class Command {

  private static final Duration USUAL = Duration.ofMinutes(1);

  /**
   * For the last words of a program that has ended, should something it started hold its output.
   */
  private static final Duration LAST_WORDS = Duration.ofSeconds(5);

  private final ProcessBuilder builder;
  private Duration atMost = USUAL;

  private Command(List<String> words) {
    builder = new ProcessBuilder(words).redirectErrorStream(true);
  }

  public static Command of(String... words) {
    return of(List.of(words));
  }

  public static Command of(List<String> words) {
    return new Command(words);
  }

  public Command in(Path folder) {
    builder.directory(folder.toFile());
    return this;
  }

  /** More variables than those of this process. */
  public Command with(Map<String, String> environment) {
    builder.environment().putAll(environment);
    return this;
  }

  /** Its standard input, which is empty otherwise. */
  public Command reading(Path file) {
    builder.redirectInput(file.toFile());
    return this;
  }

  /**
   * @param quiet how long it may take on a quiet machine (1 minute, unless said)
   * @see Eventually#patient
   */
  public Command within(Duration quiet) {
    atMost = quiet;
    return this;
  }

  /**
   * Runs it.
   *
   * @return the lines that it printed, to standard output or standard error
   * @throws AssertionError with them, if it fails or takes too long
   */
  public List<String> lines() {
    return succeed().lines();
  }

  /**
   * Runs it.
   *
   * @throws AssertionError with what it printed, if it fails or takes too long
   */
  public Result succeed() {
    Result result = run();
    if (result.exitCode() != 0) {
      throw new AssertionError(this + " ended with " + result.exitCode() + ":\n" + result.output());
    }
    return result;
  }

  /**
   * Runs it, and leaves to the caller what its exit code means.
   *
   * @throws AssertionError with what it printed, if it takes too long
   */
  public Result run() {
    try (Running running = start()) {
      int exitCode = running.awaitExit(atMost);
      return new Result(exitCode, running.output());
    }
  }

  /** Starts it, for as long as the test lets it run. */
  public Running start() {
    try {
      return new Running(this, builder.start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return String.join(" ", builder.command());
  }

  /**
   * @param output to standard output and standard error, as it came
   */
  public record Result(int exitCode, String output) {
    /** Without empty ones at its end. */
    public List<String> lines() {
      String text = output.strip();
      return text.isEmpty() ? List.of() : text.lines().toList();
    }
  }

  /** One that has been started. Closing kills it, should it still run. */
  public static final class Running implements AutoCloseable {

    private final Command command;
    private final Process process;
    private final StringBuffer output = new StringBuffer();
    private final Thread reader;

    private Running(Command command, Process process) {
      this.command = command;
      this.process = process;
      reader = Thread.ofPlatform().daemon().name("output of " + process.pid()).start(this::read);
      try {
        process.getOutputStream().close();
      } catch (IOException e) {
        // It has ended already, or reads a file.
      }
    }

    private void read() {
      try (InputStream bytes = process.getInputStream();
          Reader characters = new InputStreamReader(bytes, StandardCharsets.UTF_8)) {
        char[] piece = new char[8192];
        for (int read = characters.read(piece); read >= 0; read = characters.read(piece)) {
          output.append(piece, 0, read);
        }
      } catch (IOException e) {
        // It was killed.
      }
    }

    public long pid() {
      return process.pid();
    }

    /** What it has printed so far. */
    public String output() {
      return output.toString();
    }

    public boolean isAlive() {
      return process.isAlive();
    }

    /** Asks it to end (SIGTERM). */
    public void terminate() {
      process.toHandle().destroy();
    }

    /**
     * @param quiet how long it may take on a quiet machine
     * @return its exit code
     * @throws AssertionError if it still runs then, with what it printed
     */
    public int awaitExit(Duration quiet) {
      try {
        if (!process.waitFor(Eventually.patient(quiet).toMillis(), TimeUnit.MILLISECONDS)) {
          kill();
          throw new AssertionError(
              command
                  + " did not end within "
                  + Eventually.patient(quiet).toSeconds()
                  + " s:\n"
                  + output);
        }
        reader.join(LAST_WORDS);
        return process.exitValue();
      } catch (InterruptedException e) {
        kill();
        Thread.currentThread().interrupt();
        throw new AssertionError(command + " was interrupted:\n" + output, e);
      }
    }

    private void kill() {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }

    @Override
    public void close() {
      if (process.isAlive()) {
        kill();
      }
    }
  }
}
