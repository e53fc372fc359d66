package io.tinyfaas.endtoend;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** {@code docs/coap-conformance.md}, as a run of the cases makes it. */
final class ConformanceReport {

  private static final Path DOCUMENT = Installation.checkout().resolve("docs/coap-conformance.md");

  private static final String HEAD =
      """
      # CoAP conformance

      Written by the end-to-end tests (`ConformanceIT`, part of `make test`), which fail if a case fails or if this page says something else
      than the run. Each case runs against the composed system, by a client that is not Californium, over a wire that shows (and, where the case asks for
      it, loses) every datagram between the two.

      - libcoap: `coap-client` of Debian's libcoap3-bin
      - aiocoap: Debian's python3-aiocoap
      - datagrams: bytes sent and read by the test itself, for what no client can be made to send
      """;

  private final StringBuilder text = new StringBuilder(HEAD);

  /** A section of cases that have run. */
  void section(String title, List<ConformanceCase> cases) {
    text.append("\n## ").append(title).append("\n\n");
    text.append("| case | | client | result |\n| --- | --- | --- | --- |\n");
    for (ConformanceCase row : cases) {
      text.append("| %s | %s | %s | passed |\n".formatted(row.id(), row.objective(), row.client()));
    }
  }

  /** What is not run, each with the reason. */
  void left(List<String> rows) {
    text.append("\n## What does not apply\n\n| case | why |\n| --- | --- |\n");
    rows.forEach(row -> text.append(row).append('\n'));
  }

  /**
   * Writes the document.
   *
   * @return whether it said the same before
   */
  boolean write() throws IOException {
    String before = Files.exists(DOCUMENT) ? Files.readString(DOCUMENT) : "";
    if (before.contentEquals(text)) {
      return true;
    }
    Files.writeString(DOCUMENT, text);
    return false;
  }
}
