package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.patient;

import io.tinyfaas.harness.Command;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** libcoap's client, of the packages that Debian has of it. */
final class Libcoap {

  static final String CLIENT =
      Stream.of("coap-client", "coap-client-notls", "coap-client-openssl", "coap-client-gnutls")
          .filter(name -> Files.isExecutable(Path.of("/usr/bin", name)))
          .findFirst()
          .orElseThrow(() -> new IllegalStateException("apt-get install libcoap3-bin"));

  private static final Duration PATIENCE = Duration.ofSeconds(15);
  private static final String AT_MOST = Long.toString(patient(PATIENCE).toSeconds());

  /** Seconds that no test takes, since it ends its observers. */
  static final String OBSERVED = "3600";

  private Libcoap() {}

  /** Observes until it is ended, and prints a line for each state that it is told. */
  static Command.Running observe(Installation system, String uri) {
    return system.command(CLIENT, "-w", "-s", OBSERVED, "-m", "get", uri).start();
  }

  /**
   * What it prints: messages with {@code -v}, and the answer.
   *
   * @param uri with {@code coap:}
   */
  static String ask(Installation system, String uri, String... options) {
    return String.join("\n", command(system, uri, options).lines());
  }

  /** The same, to be started. */
  static Command command(Installation system, String uri, String... options) {
    List<String> command = new ArrayList<>(List.of(CLIENT, "-B", AT_MOST));
    command.addAll(List.of(options));
    command.add(uri);
    return system.command(command.toArray(String[]::new)).within(PATIENCE.multipliedBy(2));
  }
}
