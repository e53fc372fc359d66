package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Exposure.Observable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Response;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** States of the packaged gateway's functions by server-sent events, and the same by CoAP. */
class EventStreamsIT {

  private static final Exposure OF_PATHS = new Exposure(Access.ANY, Observable.PATH, Map.of());
  private static final int MAX_STREAMS = 8;

  @TempDir static Path folder;
  private static ObservedGateway gateway;

  private final List<RawHttp> open = new ArrayList<>();

  @BeforeAll
  static void start() {
    gateway =
        new ObservedGateway(
            folder,
            Map.of("TINYFAAS_HTTP_MAX_EVENT_STREAMS", Integer.toString(MAX_STREAMS)),
            1_000);
  }

  @AfterAll
  static void stop() {
    gateway.close();
  }

  @BeforeEach
  void begin() {
    gateway.apply(
        gateway.route("f", ObservedGateway.OBSERVABLE),
        gateway.route("lamp", OF_PATHS),
        gateway.route("secret", new Exposure(Access.DEVICE, Observable.FUNCTION, Map.of())),
        gateway.route("plain", Exposure.DEFAULT));
  }

  @AfterEach
  void end() throws IOException {
    for (RawHttp connection : open) {
      connection.close();
    }
    gateway.apply();
    awaitStreams(0);
  }

  private static void awaitStreams(int count) {
    eventually()
        .untilAsserted(
            () ->
                assertThat(gateway.process().get("/q/metrics").body())
                    .contains("tinyfaas_event_streams " + count + ".0"));
  }

  private RawHttp connect() throws IOException {
    RawHttp connection = new RawHttp(gateway.process().httpPort());
    open.add(connection);
    return connection;
  }

  private RawHttp ask(String target, String... headers) throws IOException {
    return request("GET", target, headers);
  }

  private RawHttp request(String method, String target, String... headers) throws IOException {
    StringBuilder request =
        new StringBuilder(method + ' ' + target + " HTTP/1.1\r\nHost: x\r\n")
            .append("Accept: text/event-stream\r\n");
    for (String header : headers) {
      request.append(header).append("\r\n");
    }
    return connect().send(request + "\r\n");
  }

  /** One that has been let in: after its head and first event. */
  private RawHttp listen(String target, String... headers) throws IOException {
    RawHttp stream = ask(target, headers);
    assertThat(head(stream))
        .startsWith("HTTP/1.1 200")
        .containsIgnoringCase("content-type: text/event-stream")
        .containsIgnoringCase("cache-control: no-store");
    assertThat(event(stream)).isEqualTo("retry: 3000");
    return stream;
  }

  private static String head(RawHttp connection) throws IOException {
    return block(connection, false);
  }

  /** What comes between two empty lines, without the sizes of chunks and comments. */
  private static String event(RawHttp stream) throws IOException {
    String event;
    do {
      event = block(stream, true);
    } while (event.isEmpty() || event.equals(":"));
    return event;
  }

  private static String block(RawHttp connection, boolean chunked) throws IOException {
    StringBuilder block = new StringBuilder();
    if (chunked) {
      int size = Integer.parseInt(connection.readLine(), 16);
      String text = connection.read(size);
      connection.readLine();
      return text.strip();
    }
    for (String line = connection.readLine(); !line.isEmpty(); line = connection.readLine()) {
      block.append(line).append('\n');
    }
    return block.toString();
  }

  private static String post(String target, String body) throws IOException {
    try (RawHttp connection = new RawHttp(gateway.process().httpPort())) {
      return connection
          .send(
              ("POST " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ")
                  + body.getBytes(StandardCharsets.UTF_8).length
                  + "\r\n\r\n"
                  + body)
          .readAll();
    }
  }

  private static String id(String event) {
    return event.lines().findFirst().orElseThrow().substring("id: ".length());
  }

  @Test
  void shouldTellTheLastStateAndEachChange() throws IOException {
    post("/f?type=text%2Fplain", "on");
    RawHttp stream = listen("/f");
    String first = event(stream);
    assertThat(first)
        .matches("id: \"[0-9a-f]{8}\"\nevent: result\ncontent-type: text/plain\ndata: on");
    post("/f?type=text%2Fplain", "on");
    post("/f?status=500", "broken");
    post("/f", "two\nlines\n");
    String second = event(stream);
    assertThat(second).endsWith("event: result\ndata: two\ndata: lines\ndata:");
    assertThat(id(second)).isNotEqualTo(id(first));

    RawHttp again = listen("/f", "Last-Event-ID: " + id(second));
    RawHttp late = listen("/f", "Last-Event-ID: " + id(first));
    assertThat(event(late)).isEqualTo(second);
    post("/f", "new");
    assertThat(event(again)).endsWith("data: new");
  }

  @Test
  void shouldTellTheSameStateWithTheSameTagByCoap() throws IOException {
    try (ObservingDevice lamp = gateway.device();
        ObservingDevice button = gateway.device()) {
      button.invoke("lamp/7", "on");
      button.invoke("lamp/8", "dim");
      RawHttp stream = listen("/lamp/%37");
      Response state = lamp.ask(ObservingDevice.observe(Type.CON, 7, "lamp/7"));
      assertThat(state.getOptions().hasObserve()).isTrue();
      assertSame(state, "on", event(stream));

      button.invoke("lamp/8", "off");
      button.invoke("lamp/7", "off");
      assertSame(lamp.confirmed(), "off", event(stream));
      lamp.assertSilence();

      gateway.apply(gateway.route("lamp", ObservedGateway.OBSERVABLE));
      assertThat(event(stream)).startsWith("event: end\ndata: the function is gone");
      Response farewell = lamp.confirmed();
      assertThat(farewell.getCode()).isEqualTo(ResponseCode.NOT_FOUND);
    }
  }

  private static void assertSame(Response state, String body, String event) {
    assertThat(state.getPayloadString()).isEqualTo(body);
    assertThat(event).endsWith("data: " + body);
    assertThat(id(event))
        .isEqualTo('"' + HexFormat.of().formatHex(state.getOptions().getETags().getFirst()) + '"');
  }

  @Test
  void shouldSendWhatIsNoTextAsBase64() throws IOException {
    RawHttp stream = listen("/f");
    String body = "a\r\nb";
    post("/f", body);
    assertThat(event(stream))
        .endsWith(
            "event: result-base64\ndata: " + Base64.getEncoder().encodeToString(body.getBytes()));
  }

  @Test
  void shouldInvokeWhatIsNoWishForAStream() throws IOException {
    for (String target : List.of("/plain", "/f/below", "/f?a=b")) {
      RawHttp connection = ask(target, "Connection: close");
      assertThat(connection.readAll()).startsWith("HTTP/1.1 200").endsWith("off");
    }
    assertThat(request("POST", "/f", "Connection: close", "Content-Length: 0").readAll())
        .endsWith("off");
    assertThat(request("HEAD", "/f", "Connection: close").readAll())
        .startsWith("HTTP/1.1 200")
        .doesNotContain("event-stream");
    assertThat(ask("/secret", "Connection: close").readAll()).contains("devices-only");
    assertThat(connect().send("GET /f HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n").readAll())
        .endsWith("off");
    assertThat(
            connect()
                .send(
                    "GET /f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                        + "Accept: text/html, text/event-stream;q=0, */*\r\n\r\n")
                .readAll())
        .endsWith("off");
  }

  @Test
  void shouldRefuseMoreThanThereIsRoomForAndGivePlacesBack() throws IOException {
    List<RawHttp> streams = new ArrayList<>();
    String answer = "";
    while (answer.isEmpty()) {
      RawHttp stream = ask("/f");
      String head = head(stream);
      if (head.startsWith("HTTP/1.1 200")) {
        event(stream);
        streams.add(stream);
      } else {
        answer = head;
      }
    }
    assertThat(streams).hasSizeBetween(MAX_STREAMS / 2, MAX_STREAMS - 1);
    assertThat(answer).startsWith("HTTP/1.1 429").containsIgnoringCase("retry-after: 10");
    awaitStreams(streams.size());
    for (RawHttp stream : streams) {
      stream.close();
    }
    awaitStreams(0);
    listen("/f");
  }

  @Test
  void shouldEndWhenTheFunctionIsGoneEvenWithoutAState() throws IOException {
    RawHttp stream = listen("/lamp/never");
    gateway.apply(gateway.route("plain", Exposure.DEFAULT));
    assertThat(stream.readAll()).contains("event: end\ndata: ");
    awaitStreams(0);
  }

  /** Which leaves room for others, and what it gets at last is the newest. */
  @Test
  void shouldTellAClientThatDoesNotReadTheNewestStateOnly() throws IOException {
    RawHttp slow = listen("/f");
    RawHttp quick = listen("/f");
    int size = 600_000;
    int states = 60;
    for (int i = 0; i < states; i++) {
      String last = i + "-" + "x".repeat(size);
      post("/f", last);
      assertThat(event(quick)).endsWith(last);
    }
    List<String> told = new ArrayList<>();
    do {
      String event = event(slow);
      told.add(event.substring(event.indexOf("data: ") + 6, event.indexOf("-x")));
    } while (!told.getLast().equals(Integer.toString(states - 1)));
    assertThat(told.size()).isLessThan(states);
  }
}
