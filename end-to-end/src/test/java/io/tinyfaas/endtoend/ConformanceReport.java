package io.tinyfaas.endtoend;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** {@code docs/coap-conformance.md}, as a run of the cases makes it. */
final class ConformanceReport {

  private static final Path DOCUMENT = Checkout.path().resolve("docs/coap-conformance.md");

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

  private static final String TAIL =
      """

      ## What does not apply

      | case | why |
      | --- | --- |
      | TD_COAP_CORE_24 to 30 | about proxies and caches between client and server; the gateway is neither (Proxy-Uri and Proxy-Scheme are 5.05) |
      | TD_COAP_LINK, alternate links | the descriptions of CoAP#4 end with 09 |
      | TD_COAP_OBS_03 | there is none |
      | TD_COAP_OBS_04 | what the client does once its registration is lost; the gateway's part, to take it anew, is 01's |
      | TD_COAP_DTLS_04 to 07 | raw public keys: devices are registered by key (PSK) or certificate |
      | TD_6LOWPAN | below IP |

      ## What is shown elsewhere

      | rule | where |
      | --- | --- |
      | an address that has not proved itself gets at most three times what it sent (RFC 9175, 2.4) | `CoapAmplificationIT`, by datagrams: loopback, where this page's clients are, needs no proof |
      | random, cut off and changed datagrams harm nobody | `CoapFuzzIT` |
      | 200 functions in `/.well-known/core`, by blocks | `DiscoveryIT` |
      | bounds on observers; one notification in transit; a CON each day | `ObserveIT`, `ObservingPeerTest`, `ObserverListTest` |
      | duplicates within EXCHANGE_LIFETIME and beyond the bound | `CoapMessagesIT`, `BoundedDeduplicatorTest`, `MessageIdsTest` |
      | devices are told apart, and answered from the address they asked | `AddressesIT` |
      | devices by DTLS, connection IDs, revocation | `DtlsIT`, `DtlsMovingIT`, `DevicesIT`, by libcoap over OpenSSL and GnuTLS |
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

  /**
   * Writes the document.
   *
   * @return whether it said the same before
   */
  boolean write() throws IOException {
    text.append(TAIL);
    String before = Files.exists(DOCUMENT) ? Files.readString(DOCUMENT) : "";
    if (before.contentEquals(text)) {
      return true;
    }
    Files.writeString(DOCUMENT, text);
    return false;
  }
}
