package io.tinyfaas.harness;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The engine's own client: what the system under test did to the engine is seen with other eyes.
 */
public final class Docker {

  private static final Duration USUAL = Duration.ofMinutes(2);

  private Docker() {}

  /**
   * @param arguments such as {@code ps --quiet}, a word each
   * @return the lines that it printed
   * @throws AssertionError if it fails, with what it printed
   */
  public static List<String> docker(String... arguments) {
    return command(arguments).lines();
  }

  /** The same, to be run or started by the caller. */
  public static Command command(String... arguments) {
    List<String> words = new ArrayList<>(List.of("docker"));
    words.addAll(List.of(arguments));
    return Command.of(words).within(USUAL);
  }

  /** The port of 127.0.0.1 that the engine chose for a port of a container. */
  public static int publishedPort(String container, int port) {
    String address = docker("port", container, port + "/tcp").getFirst();
    return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
  }
}
