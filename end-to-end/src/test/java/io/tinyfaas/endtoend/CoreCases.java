package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.eclipse.californium.core.coap.CoAP.ResponseCode.CHANGED;
import static org.eclipse.californium.core.coap.CoAP.ResponseCode.CONTENT;
import static org.eclipse.californium.core.coap.CoAP.ResponseCode.CREATED;
import static org.eclipse.californium.core.coap.CoAP.ResponseCode.DELETED;
import static org.eclipse.californium.core.coap.CoAP.ResponseCode.PRECONDITION_FAILED;
import static org.eclipse.californium.core.coap.CoAP.ResponseCode.VALID;

import java.util.HexFormat;
import java.util.List;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Response;
import org.junit.jupiter.api.function.Executable;

/** TD_COAP_CORE of the ETSI CoAP test descriptions (CoAP#4): the steps that check the server. */
final class CoreCases {

  private static final String LIBCOAP = "libcoap";
  private static final String[] TEXT = {"-t", "text/plain", "-e", "a payload"};

  private final PlugtestServer server;

  CoreCases(PlugtestServer server) {
    this.server = server;
  }

  List<ConformanceCase> all() {
    server.offer(
        "test",
        "separate",
        "seg1",
        "query",
        "location-query",
        "multi-format",
        "validate",
        "create1");
    return List.of(
        of(1, "GET, CON", this::get),
        of(2, "DELETE, CON", this::delete),
        of(3, "PUT, CON", this::put),
        of(4, "POST, CON", this::post),
        of(5, "GET, NON", () -> non("get", CONTENT)),
        of(6, "DELETE, NON", () -> non("delete", DELETED)),
        of(7, "PUT, NON", () -> non("put", CHANGED)),
        of(8, "POST, NON", () -> non("post", CREATED)),
        of(9, "GET with a separate response", this::separate),
        of(10, "GET with a token", this::token),
        of(11, "GET with a token and a separate response", this::separateWithToken),
        of(12, "GET with an empty token", this::emptyToken),
        of(13, "GET with several Uri-Path options", this::path),
        of(14, "GET with several Uri-Query options", this::query),
        of(15, "GET while datagrams are lost: a request, a response", this::lossy),
        of(
            16,
            "GET with a separate response while datagrams are lost: request, ACK, response, its ACK",
            this::separateLossy),
        of(17, "GET with a separate response, NON", this::separateNon),
        of(18, "POST, the response has several Location-Path options", this::locationPath),
        of(19, "POST, the response has several Location-Query options", this::locationQuery),
        of(20, "GET with Accept", this::accept),
        of(21, "GET with ETag", this::etag),
        of(22, "PUT with If-Match", this::ifMatch),
        of(23, "PUT with If-None-Match", this::ifNoneMatch),
        new ConformanceCase("TD_COAP_CORE_31", "ping", "datagrams", this::ping));
  }

  private static ConformanceCase of(int number, String objective, Executable check) {
    return new ConformanceCase("TD_COAP_CORE_%02d".formatted(number), objective, LIBCOAP, check);
  }

  private void get() {
    server
        .askAtOnce("test")
        .isPiggybacked(CONTENT)
        .hasFormatIfPayload()
        .shows("the content of test");
  }

  private void delete() {
    server
        .askAtOnce("test", "-m", "delete")
        .isPiggybacked(DELETED)
        .hasFormatIfPayload()
        .shows("deleted");
  }

  private void put() {
    server
        .askAtOnce("test", concat("-m", "put"))
        .isPiggybacked(CHANGED)
        .hasFormatIfPayload()
        .shows("changed");
  }

  private void post() {
    server
        .askAtOnce("test", concat("-m", "post"))
        .isPiggybacked(CREATED)
        .hasFormatIfPayload()
        .shows("created");
  }

  private void non(String method, ResponseCode code) {
    server.ask("test", concat("-N", "-m", method)).isNonConfirmable(code).hasFormatIfPayload();
  }

  private void separate() {
    server.askSeparately(Wire.NONE).isSeparate(CONTENT).shows("late");
  }

  private void token() {
    Exchange exchange = server.askAtOnce("test", "-T", "tokens").isPiggybacked(CONTENT);
    assertThat(exchange.request().getToken().length()).isBetween(1, 8);
  }

  private void separateWithToken() {
    Exchange exchange =
        server.askSeparately(Wire.NONE, "-T", "tokens").isSeparate(CONTENT).shows("late");
    assertThat(exchange.request().getToken().length()).isBetween(1, 8);
  }

  private void emptyToken() {
    Exchange exchange = server.send("40 01 12 34 b4 74657374").isPiggybacked(CONTENT);
    assertThat(exchange.request().getToken().isEmpty()).isTrue();
    assertThat(exchange.response().getPayloadString()).isEqualTo("the content of test");
  }

  private void path() {
    Exchange exchange =
        server.askAtOnce("seg1/seg2/seg3").isPiggybacked(CONTENT).shows("at /seg2/seg3");
    assertThat(exchange.request().getOptions().getUriPath())
        .containsExactly("seg1", "seg2", "seg3");
  }

  private void query() {
    Exchange exchange =
        server
            .askAtOnce("query?first=1&second=2&third=3")
            .isPiggybacked(CONTENT)
            .shows("first is 1, second is 2, third is 3");
    assertThat(exchange.request().getOptions().getUriQuery()).hasSize(3);
  }

  private void lossy() {
    Exchange lostRequest =
        server.askAtOnce((up, n) -> up && n == 1, "test").shows("the content of test");
    assertThat(lostRequest.lostAndSentAgain()).hasSizeGreaterThan(1);
    assertThat(lostRequest.sent()).hasSize(1);
    assertThat(lostRequest.received()).hasSize(1);

    Exchange lostResponse =
        server.askAtOnce((up, n) -> !up && n == 1, "test").shows("the content of test");
    assertThat(lostResponse.lostAndSentAgain()).hasSizeGreaterThan(1);
    assertThat(lostResponse.sent()).hasSize(1);
    assertThat(lostResponse.received()).hasSize(1);
  }

  private void separateLossy() {
    server.askSeparately((up, n) -> up && n == 1).shows("late");

    Exchange lostAcknowledgement = server.askSeparately((up, n) -> !up && n == 1).shows("late");
    assertThat(lostAcknowledgement.received().getLast().getType()).isEqualTo(Type.CON);

    Exchange lostResponse = server.askSeparately((up, n) -> !up && n == 2).shows("late");
    assertThat(lostResponse.lostAndSentAgain()).hasSizeGreaterThan(1);
    assertThat(lostResponse.received()).hasSize(2);
  }

  private void separateNon() {
    server.askNonConfirmable("-N").isNonConfirmable(CONTENT).hasFormatIfPayload().shows("late");
  }

  private void locationPath() {
    Exchange exchange = server.askAtOnce("test", concat("-m", "post")).isPiggybacked(CREATED);
    assertThat(exchange.options().getLocationPath())
        .containsExactly("location1", "location2", "location3");
  }

  private void locationQuery() {
    Exchange exchange =
        server.askAtOnce("location-query", concat("-m", "post")).isPiggybacked(CREATED);
    assertThat(exchange.options().getLocationQuery()).containsExactly("first=1", "second=2");
  }

  private void accept() {
    Exchange text = server.askAtOnce("multi-format", "-A", "text/plain").isPiggybacked(CONTENT);
    assertThat(text.options().getContentFormat()).isZero();
    text.shows("content");

    Exchange xml = server.askAtOnce("multi-format", "-A", "application/xml").isPiggybacked(CONTENT);
    assertThat(xml.options().getContentFormat()).isEqualTo(41);
    xml.shows("<content/>");
  }

  private void etag() {
    Response first = server.ask("validate").isAnswered(CONTENT).response();
    byte[] tag = first.getOptions().getETags().getFirst();

    Exchange same = server.ask("validate", "-O", "4," + hex(tag)).isAnswered(VALID);
    assertThat(same.options().getETags()).containsExactly(tag);
    assertThat(same.response().getPayloadSize()).isZero();

    server.ask("validate", "-m", "put", "-e", "second").isAnswered(CHANGED);
    Exchange other = server.ask("validate", "-O", "4," + hex(tag)).isAnswered(CONTENT);
    assertThat(other.options().getETags()).doesNotContain(tag).hasSize(1);
    other.shows("second");
  }

  private void ifMatch() {
    byte[] first = server.ask("validate").options().getETags().getFirst();
    server.ask("validate", "-m", "put", "-e", "x", "-O", "1," + hex(first)).isAnswered(CHANGED);

    byte[] second = server.ask("validate").shows("x").options().getETags().getFirst();
    server.ask("validate", "-m", "put", "-e", "y").isAnswered(CHANGED);
    server
        .ask("validate", "-m", "put", "-e", "z", "-O", "1," + hex(second))
        .isAnswered(PRECONDITION_FAILED);
    server.ask("validate").shows("y");
  }

  private void ifNoneMatch() {
    server.ask("create1", "-m", "put", "-e", "x", "-O", "5,").isAnswered(CREATED);
    server.ask("create1", "-m", "put", "-e", "x", "-O", "5,").isAnswered(PRECONDITION_FAILED);
  }

  private void ping() {
    Exchange exchange = server.send("40 00 12 34");
    assertThat(exchange.datagrams().getLast().bytes())
        .isEqualTo(HexFormat.of().parseHex("70001234"));
  }

  private static String[] concat(String... options) {
    String[] all = new String[options.length + TEXT.length];
    System.arraycopy(options, 0, all, 0, options.length);
    System.arraycopy(TEXT, 0, all, options.length, TEXT.length);
    return all;
  }

  private static String hex(byte[] bytes) {
    return "0x" + HexFormat.of().formatHex(bytes);
  }
}
