package io.tinyfaas.endtoend;

import java.io.IOException;
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

  private Libcoap() {}

  /** Observes for so long, and prints a line for each state that it is told. */
  static Process observe(Installation system, String uri, Duration time, Path output)
      throws IOException {
    return system
        .process(CLIENT, "-w", "-s", Long.toString(time.toSeconds()), "-m", "get", uri)
        .redirectErrorStream(true)
        .redirectOutput(output.toFile())
        .start();
  }

  /**
   * What it prints: messages with {@code -v}, and the answer.
   *
   * @param uri with {@code coap:}
   */
  static String ask(Installation system, String uri, String... options) {
    List<String> command = new ArrayList<>(List.of(CLIENT, "-B", "10"));
    command.addAll(List.of(options));
    command.add(uri);
    return String.join("\n", system.run(Duration.ofSeconds(20), command.toArray(String[]::new)));
  }
}
