package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.eclipse.californium.core.WebLink;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.LinkFormat;
import org.eclipse.californium.core.coap.Message;
import org.eclipse.californium.core.coap.Response;
import org.junit.jupiter.api.function.Executable;

/** What the RFCs ask of a server beyond the test descriptions. */
final class RuleCases {

  private static final String LIBCOAP = "libcoap";
  private static final String DATAGRAMS = "datagrams";

  private static final String COUNT = "b5 636f756e74"; // Uri-Path: count
  private static final String ECHO = "b4 6563686f"; // Uri-Path: echo

  private final PlugtestServer server;

  RuleCases(PlugtestServer server) {
    this.server = server;
  }

  List<ConformanceCase> all() {
    server.offer("count", "busy", "unavailable", "echo");
    server.offer("private", Map.of("access", "device"));
    return List.of(
        of("RFC 7252, 4.2", "a CON that is sent again runs the function once", this::repeated),
        of("RFC 7252, 4.3", "a NON that is sent again runs the function once", this::repeatedNon),
        of("RFC 7252, 3", "another version is passed over", () -> silent("80 01 12 34 " + COUNT)),
        of("RFC 7252, 3", "a CON with a reserved token length is reset", this::tokenLength),
        of("RFC 7252, 4.2", "a CON that breaks off is reset", () -> reset("40 01 12 35 b5 63")),
        of("RFC 7252, 4.3", "a NON that breaks off is passed over", () -> silent("50 01 12 36 b5")),
        of("RFC 7252, 3", "a payload marker without payload is reset", this::emptyPayload),
        of("RFC 7252, 5.4.1", "an unknown critical option is 4.02", this::critical),
        of("RFC 7252, 5.4.1", "an unknown elective option is passed over", this::elective),
        of("RFC 7252, 5.7.2", "Proxy-Uri is 5.05", this::proxyUri),
        of("RFC 7252, 5.7.2", "Proxy-Scheme is 5.05", this::proxyScheme),
        of("RFC 7252, 5.8", "an unknown method is 4.05", this::method),
        of("RFC 7252, 5.9.2.5", "an unknown function is 4.04, with a diagnostic", this::unknown),
        of("RFC 7252, 5.10.5", "an answer is not to be kept unless it says so", this::maxAge),
        libcoap("RFC 8132, 2", "FETCH, PATCH and iPATCH", this::fetchAndPatch),
        libcoap("RFC 8949", "CBOR arrives as it was sent", this::cbor),
        libcoap("RFC 8075", "an unregistered Content-Format arrives as its number", this::format),
        libcoap("RFC 8516", "4.29 with Max-Age", this::busy),
        libcoap("RFC 7252, 5.9.3.4", "5.03 with Max-Age", this::unavailable),
        libcoap(
            "RFC 7252, 5.9.2.2", "a function for devices only is 4.01 without DTLS", this::plain),
        of("RFC 7967, 2", "No-Response: a CON gets its acknowledgement only", this::noResponse),
        of("RFC 7967, 2", "No-Response: a NON gets nothing", this::noResponseNon),
        of("RFC 7959, 2.9.2", "a block in the middle of nothing is 4.08", this::incomplete),
        of("RFC 7959, 2.9.3", "a body beyond the limit is 4.13, with Size1", this::tooLarge),
        libcoap("RFC 7959, 4", "Size2 comes with the first block", this::size2),
        libcoap("RFC 7959, 2.4", "/.well-known/core goes in blocks", this::discoveryInBlocks),
        of("RFC 9175, 3", "two uploads at once, told apart by Request-Tag", this::requestTag));
  }

  private static ConformanceCase of(String id, String objective, Executable check) {
    return new ConformanceCase(id, objective, DATAGRAMS, check);
  }

  private static ConformanceCase libcoap(String id, String objective, Executable check) {
    return new ConformanceCase(id, objective, LIBCOAP, check);
  }

  private void repeated() {
    Exchange exchange = server.send("40 01 21 01 " + COUNT, "40 01 21 01 " + COUNT);
    assertThat(exchange.datagrams()).hasSize(4);
    assertThat(exchange.datagrams().get(1).bytes()).isEqualTo(exchange.datagrams().get(3).bytes());
  }

  private void repeatedNon() {
    Exchange exchange =
        server.talk(
            client -> {
              client.send("50 01 22 01 " + COUNT);
              client.receive();
              client.send("50 01 22 01 " + COUNT);
              client.send("40 01 22 02 " + COUNT);
              client.receive(0x2202);
            });
    List<Message> received = exchange.received();
    int first = Integer.parseInt(received.getFirst().getPayloadString());
    assertThat(received)
        .filteredOn(message -> message.getMID() == 0x2202)
        .singleElement()
        .extracting(Message::getPayloadString)
        .isEqualTo(Integer.toString(first + 1));
  }

  /** A ping is. */
  private void silent(String datagram) {
    silent(datagram, "40 00 12 39", 0x1239);
  }

  /**
   * Nothing comes for a datagram: what is sent after it is answered, and that is all.
   *
   * @param id of the latter
   */
  private void silent(String datagram, String answered, int id) {
    Exchange exchange =
        server.talk(
            client -> {
              client.send(datagram);
              client.send(answered);
              client.receive(id);
            });
    assertThat(exchange.received()).singleElement().extracting(Message::getMID).isEqualTo(id);
  }

  private void tokenLength() {
    reset("49 01 12 37 010203040506070809 " + COUNT);
  }

  private void emptyPayload() {
    reset("40 01 12 38 " + COUNT + " ff");
  }

  private void reset(String datagram) {
    Message answer = server.send(datagram).received().getFirst();
    assertThat(answer.getType()).isEqualTo(Type.RST);
    assertThat(answer.getRawCode()).isZero();
    assertThat(answer.getMID()).isEqualTo(HexFormat.fromHexDigits(datagram.replace(" ", ""), 4, 8));
  }

  private void critical() {
    answers("40 01 23 01 " + COUNT + " e0 fcd1", ResponseCode.BAD_OPTION); // 65001
  }

  private void elective() {
    answers("40 01 23 02 " + COUNT + " e0 fcd0", ResponseCode.CONTENT); // 65000
  }

  private void proxyUri() {
    answers("40 01 23 03 d8 16 636f61703a2f2f78", ResponseCode.PROXY_NOT_SUPPORTED);
  }

  private void proxyScheme() {
    answers("40 01 23 04 d4 1a 636f6170", ResponseCode.PROXY_NOT_SUPPORTED);
  }

  private void method() {
    answers("40 08 23 05 " + COUNT, ResponseCode.METHOD_NOT_ALLOWED);
  }

  private void unknown() {
    Response answer = answers("40 01 23 06 b6 6e6f626f6479", ResponseCode.NOT_FOUND);
    assertThat(answer.getPayloadString()).isEqualTo("no such function");
    assertThat(answer.getOptions().hasContentFormat()).isFalse();
  }

  private void maxAge() {
    Response answer = answers("40 01 23 07 " + COUNT, ResponseCode.CONTENT);
    assertThat(answer.getOptions().getMaxAge()).isZero();
  }

  private void fetchAndPatch() {
    server
        .askAtOnce("echo", "-m", "fetch", "-e", "a")
        .isPiggybacked(ResponseCode.CONTENT)
        .shows("a");
    server
        .askAtOnce("echo", "-m", "patch", "-e", "b")
        .isPiggybacked(ResponseCode.CHANGED)
        .shows("b");
    server
        .askAtOnce("echo", "-m", "ipatch", "-e", "c")
        .isPiggybacked(ResponseCode.CHANGED)
        .shows("c");
  }

  private void cbor() {
    Exchange exchange =
        server.askAtOnce("echo", "-m", "post", "-t", "application/cbor", "-e", "%bf%61%61%01%ff");
    exchange.isPiggybacked(ResponseCode.CHANGED);
    assertThat(exchange.options().getContentFormat()).isEqualTo(60);
    assertThat(exchange.response().getPayload()).isEqualTo(exchange.request().getPayload());
    assertThat(exchange.response().getPayload()).isEqualTo(HexFormat.of().parseHex("bf616101ff"));
  }

  private void format() {
    Exchange exchange = server.ask("echo", "-m", "post", "-t", "65123", "-e", "x");
    assertThat(exchange.options().getContentFormat()).isEqualTo(65_123);
  }

  private void busy() {
    Exchange exchange = server.askAtOnce("busy").isPiggybacked(ResponseCode.TOO_MANY_REQUESTS);
    assertThat(exchange.options().getMaxAge()).isEqualTo(7);
  }

  private void unavailable() {
    Exchange exchange =
        server.askAtOnce("unavailable").isPiggybacked(ResponseCode.SERVICE_UNAVAILABLE);
    assertThat(exchange.options().getMaxAge()).isEqualTo(9);
  }

  private void plain() {
    server.askAtOnce("private").isPiggybacked(ResponseCode.UNAUTHORIZED).shows("use coaps");
  }

  /** Option 258 with 26: no response of the classes 2, 4 and 5 is of interest. */
  private void noResponse() {
    Exchange exchange =
        server.talkOnce(
            client -> {
              client.send("40 02 24 01 " + ECHO + " d1 ea 1a ff 78");
              client.receive();
            });
    assertThat(exchange.received()).hasSize(1);
    Message acknowledgement = exchange.received().getFirst();
    assertThat(acknowledgement.getType()).isEqualTo(Type.ACK);
    assertThat(acknowledgement.getRawCode()).isZero();
  }

  private void noResponseNon() {
    silent("50 02 24 02 " + ECHO + " d1 ea 1a ff 78", "40 02 24 03 " + ECHO + " ff 79", 0x2403);
  }

  private void incomplete() {
    // Block1: 3, no more, 16 bytes
    answers("40 02 25 01 " + ECHO + " d1 03 30 ff 78", ResponseCode.REQUEST_ENTITY_INCOMPLETE);
  }

  private void tooLarge() {
    // Block1: 0, more, 16 bytes; Size1: 16 MiB
    Response answer =
        answers(
            "40 02 25 02 " + ECHO + " d1 03 08 d4 14 01000000 ff " + "61".repeat(16),
            ResponseCode.REQUEST_ENTITY_TOO_LARGE);
    assertThat(answer.getOptions().getSize1()).isEqualTo(1 << 20);
  }

  private void size2() {
    server.offer("large");
    Exchange exchange = server.ask("large", "-b", "64");
    assertThat(exchange.responses().getFirst().getOptions().getSize2()).isEqualTo(2000);
  }

  private void discoveryInBlocks() {
    Exchange exchange = server.ask(".well-known/core", "-b", "64");
    assertThat(exchange.responses()).hasSizeGreaterThan(3);
    assertThat(LinkFormat.parse(exchange.displayed()))
        .extracting(WebLink::getURI)
        .contains("/count", "/echo", "/private");
  }

  /** Option 292, once with 1 and once with 2; their blocks come in turns. */
  private void requestTag() {
    String first = ECHO + " d1 03 %s d1 fc %s ff %s";
    Exchange exchange =
        server.send(
            "40 02 26 01 " + first.formatted("08", "01", "61".repeat(16)),
            "40 02 26 02 " + first.formatted("08", "02", "62".repeat(16)),
            "40 02 26 03 " + first.formatted("10", "01", "61"),
            "40 02 26 04 " + first.formatted("10", "02", "62"));
    List<Message> received = exchange.received();
    assertThat(received.get(2).getPayloadString()).isEqualTo("a".repeat(17));
    assertThat(received.get(3).getPayloadString()).isEqualTo("b".repeat(17));
  }

  private Response answers(String datagram, ResponseCode code) {
    Response answer = server.send(datagram).response();
    assertThat(answer.getCode()).isEqualTo(code);
    return answer;
  }
}
