package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.NetServer;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.eclipse.californium.core.CoapClient;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.config.UdpConfig;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices that speak CoAP with the packaged gateway, and real handlers behind it. */
class CoapInvocationIT {

  private static final int MAX_BODY = 1 << 20;
  private static final long FUNCTION_TIMEOUT = 2_000;
  private static final Exposure FOR_DEVICES = new Exposure(Access.DEVICE, false, Map.of());

  @TempDir static Path folder;
  private static Vertx vertx;
  private static TestBroker broker;
  private static PlayedManager manager;
  private static GatewayProcess gateway;
  private static TestHandler unix;
  private static TestHandler tcp;
  private static NetServer garbage;
  private static CoapEndpoint device;

  @BeforeAll
  static void start() throws IOException {
    CoapConfig.register();
    UdpConfig.register();
    Configuration.setStandard(Configuration.createStandardWithoutFile());
    vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
    broker = new TestBroker().start();
    gateway = new GatewayProcess(broker, folder, Map.of());
    manager = new PlayedManager(vertx, broker);
    unix = new TestHandler(vertx, folder, CoapInvocationIT::function);
    tcp = new TestHandler(vertx, CoapInvocationIT::function);
    garbage =
        vertx
            .createNetServer()
            .connectHandler(
                socket -> socket.handler(any -> socket.end(Buffer.buffer("nonsense\r\n\r\n"))));
    garbage.listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().join();
    Handler refusing =
        new Handler("refusing", new HandlerEndpoint.Tcp("127.0.0.1", TestBroker.freePort()));
    Handler noSocket = new Handler("no-socket", new HandlerEndpoint.Unix("f/none.sock"));
    Handler talkingNonsense =
        new Handler("nonsense", new HandlerEndpoint.Tcp("127.0.0.1", garbage.actualPort()));
    manager.apply(
        1,
        1,
        PlayedManager.route("unix", FUNCTION_TIMEOUT, unix.handler()),
        PlayedManager.route("tcp", FUNCTION_TIMEOUT, tcp.handler()),
        PlayedManager.route("empty", FUNCTION_TIMEOUT),
        PlayedManager.route("locked", FUNCTION_TIMEOUT, FOR_DEVICES, unix.handler()),
        PlayedManager.route("dead", FUNCTION_TIMEOUT, noSocket),
        PlayedManager.route("half", FUNCTION_TIMEOUT, refusing, unix.handler(), noSocket),
        PlayedManager.route("garbage", FUNCTION_TIMEOUT, talkingNonsense));
    Configuration settings =
        Configuration.createStandardWithoutFile()
            .set(CoapConfig.MAX_RESOURCE_BODY_SIZE, 2 * MAX_BODY)
            .set(CoapConfig.PREFERRED_BLOCK_SIZE, 1024)
            .set(CoapConfig.BLOCKWISE_ENTITY_TOO_LARGE_AUTO_FAILOVER, false)
            .set(UdpConfig.UDP_RECEIVE_BUFFER_SIZE, 1 << 20);
    device = CoapEndpoint.builder().setConfiguration(settings).setPort(0).build();
    device.start();
  }

  @AfterAll
  static void stop() {
    Stream.of(gateway, manager, broker, unix, tcp).forEach(CoapInvocationIT::close);
    device.destroy();
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }

  private static void close(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** Echoes, unless the path says otherwise. */
  private static void function(HttpServerRequest request, Buffer body) {
    String[] path = Optional.ofNullable(request.getHeader("X-tinyFaaS-Path")).orElse("").split("/");
    switch (path.length > 1 ? path[1] : "echo") {
      case "slow" ->
          vertx.setTimer(Long.parseLong(path[2]), late -> request.response().end("late"));
      case "size" -> request.response().end(Buffer.buffer(random(Integer.parseInt(path[2]))));
      case "status" -> request.response().setStatusCode(Integer.parseInt(path[2])).end("as asked");
      case "vanish" -> request.connection().close();
      case "headers" -> {
        Map<String, String> headers = new TreeMap<>();
        request.headers().forEach(h -> headers.put(h.getKey().toLowerCase(), h.getValue()));
        request.response().end(headers.toString());
      }
      case "chunked" -> {
        request.response().setChunked(true).write("one,");
        request.response().end("two");
      }
      default -> {
        Optional.ofNullable(request.getHeader("Content-Type"))
            .ifPresent(type -> request.response().putHeader("Content-Type", type));
        request.response().end(body);
      }
    }
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  private static String uri(String path) {
    return "coap://127.0.0.1:" + gateway.coapPort() + "/" + path;
  }

  private static CoapClient client(String path) {
    CoapClient client = new CoapClient(uri(path));
    client.setEndpoint(device);
    client.setTimeout(60_000L);
    return client;
  }

  private static CoapResponse send(Code code, String path, byte[] body) {
    Request request = new Request(code);
    if (body.length > 0) {
      if (!request.isIntendedPayload()) {
        request.setUnintendedPayload();
      }
      request.setPayload(body);
    }
    try {
      CoapResponse response = client(path).advanced(request);
      assertThat(response).as(code + " " + path).isNotNull();
      return response;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static CoapResponse get(String path) {
    return send(Code.GET, path, new byte[0]);
  }

  private static String code(CoapResponse response) {
    return response.getCode().text;
  }

  @ParameterizedTest
  @CsvSource({
    "GET,2.05",
    "POST,2.04",
    "PUT,2.04",
    "DELETE,2.02",
    "FETCH,2.05",
    "PATCH,2.04",
    "IPATCH,2.04"
  })
  void shouldRunTheFunctionByEachMethodWithItsPayload(Code method, String code) {
    for (String function : List.of("unix", "tcp")) {
      CoapResponse response = send(method, function, new byte[] {0, (byte) 0xff, 7});
      assertThat(code(response)).isEqualTo(code);
      assertThat(response.getPayload()).isEqualTo(new byte[] {0, (byte) 0xff, 7});
    }
  }

  @Test
  void shouldTellTheHandlerWhatItsContractNames() {
    Request request = new Request(Code.FETCH, Type.NON);
    request.setPayload("x");
    request.getOptions().setContentFormat(60).setAccept(50).addETag(new byte[] {'v', '1'});
    String headers = advanced("unix/headers/a%20b?q=1&r=2", request).getResponseText();
    assertThat(headers)
        .contains(
            "accept=application/json",
            "content-length=1",
            "content-type=application/cbor",
            "etag=\"v1\"",
            "if-none-match=\"v1\"",
            "x-tinyfaas-message-type=NON",
            "x-tinyfaas-method=FETCH",
            "x-tinyfaas-path=/headers/a%20b",
            "x-tinyfaas-peer=127.0.0.1:" + device.getAddress().getPort(),
            "x-tinyfaas-protocol=coap",
            "x-tinyfaas-query=q=1&r=2");
    assertThat(get("unix/headers").getResponseText()).contains("content-length=0");
  }

  private static CoapResponse advanced(String path, Request request) {
    try {
      return client(path).advanced(request);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void shouldMarkADynamicAnswerAsStaleAtOnce() {
    assertThat(get("unix").getOptions().getMaxAge()).isZero();
  }

  @Test
  void shouldTakeAChunkedAnswer() {
    assertThat(get("unix/chunked").getResponseText()).isEqualTo("one,two");
  }

  @Test
  void shouldRefuseAFunctionForDevicesToWhoHasNotProvedToBeOne() throws Exception {
    int runs = unix.runs();
    CoapResponse refused = get("locked");
    assertThat(code(refused)).isEqualTo("4.01");
    assertThat(refused.getResponseText())
        .isEqualTo("the function is for registered devices: use coaps");
    assertThat(unix.runs()).isEqualTo(runs);
    assertThat(gateway.get("/q/metrics").body())
        .contains(
            "tinyfaas_invocations_total{function=\"locked\",outcome=\"unauthorized\",protocol=\"coap\"} 1.0");
  }

  @Test
  void shouldAnswerAnUnknownFunctionWithNotFound() {
    assertThat(code(get("nobody"))).isEqualTo("4.04");
    assertThat(code(get(""))).isEqualTo("4.04");
    assertThat(code(get("UNIX"))).as("names differ by case").isEqualTo("4.04");
    assertThat(gateway.get("/q/metrics").body()).doesNotContain("nobody", "UNIX");
  }

  @Test
  void shouldAnswerWithoutAHealthyHandlerComeBackLater() {
    for (String function : List.of("empty", "dead")) {
      CoapResponse response = get(function);
      assertThat(code(response)).isEqualTo("5.03");
      assertThat(response.getOptions().getMaxAge()).isBetween(1L, 10L);
    }
  }

  @Test
  void shouldTryAnotherHandlerWhereOneRefuses() {
    for (int i = 0; i < 20; i++) {
      assertThat(code(get("half"))).isEqualTo("2.05");
    }
  }

  @Test
  void shouldAnswerTooSlowWithGatewayTimeoutAndCloseTheConnection() {
    int before = unix.connections();
    assertThat(code(get("unix/slow/30000"))).isEqualTo("5.04");
    await().until(() -> unix.connections() <= before);
  }

  @Test
  void shouldAnswerGarbageWithBadGateway() {
    assertThat(code(get("garbage"))).isEqualTo("5.02");
    assertThat(code(get("unix/vanish"))).isEqualTo("5.02");
    CoapResponse redirect = get("unix/status/302");
    assertThat(code(redirect)).isEqualTo("5.02");
    assertThat(redirect.getResponseText()).contains("302");
  }

  @Test
  void shouldPassAnErrorAsADiagnostic() {
    CoapResponse response = get("unix/status/500");
    assertThat(code(response)).isEqualTo("5.00");
    assertThat(response.getResponseText()).isEqualTo("as asked");
    assertThat(response.getOptions().hasContentFormat()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1_024, 1_025, 65_536, 524_288, MAX_BODY})
  void shouldCarryABodyBothWays(int size) {
    byte[] body = random(size);
    int runs = unix.runs();
    CoapResponse response = send(Code.POST, "unix", body);
    assertThat(code(response)).isEqualTo("2.04");
    assertThat(response.getPayload()).isEqualTo(body);
    assertThat(unix.runs() - runs).as("assembled, then run once").isEqualTo(1);
  }

  @Test
  void shouldRefuseABodyAboveTheBound() {
    int runs = unix.runs();
    CoapResponse response = send(Code.POST, "unix", random(MAX_BODY + 1));
    assertThat(code(response)).isEqualTo("4.13");
    assertThat(response.getOptions().getSize1()).isEqualTo(MAX_BODY);
    assertThat(unix.runs()).isEqualTo(runs);
  }

  @Test
  void shouldRefuseAnAnswerAboveTheBound() {
    CoapResponse response = get("unix/size/" + (MAX_BODY + 1));
    assertThat(code(response)).isEqualTo("5.02");
    assertThat(response.getResponseText()).contains("1048576");
  }

  @Test
  void shouldCarryAGetsPayloadBlockWise() {
    assertThat(send(Code.GET, "unix", random(5_000)).getPayload()).isEqualTo(random(5_000));
  }

  @Test
  void shouldServeAHundredDevicesAtOnce() throws IOException {
    List<CoapPeer> peers = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      peers.add(new CoapPeer(gateway.coapPort()));
    }
    long sent = System.nanoTime();
    for (CoapPeer peer : peers) {
      peer.send(CoapPeer.request("CON", 1, 30, "unix", slow("400")));
    }
    for (CoapPeer peer : peers) {
      assertThat(peer.receive(5_000).map(CoapPeer::header).orElseThrow()).startsWith("ACK ");
      peer.close();
    }
    assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sent)).isBetween(400L, 4_000L);
  }

  @Test
  void shouldServeAHundredRequestsOfOneDeviceAtOnce() throws IOException {
    try (CoapPeer peer = new CoapPeer(gateway.coapPort())) {
      long sent = System.nanoTime();
      for (int mid = 100; mid < 200; mid++) {
        peer.send(CoapPeer.request("NON", 1, mid, "unix", slow("400")));
      }
      for (int i = 0; i < 100; i++) {
        assertThat(peer.receive(5_000).map(CoapPeer::header).orElseThrow()).startsWith("NON 2.05");
      }
      assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sent)).isBetween(400L, 4_000L);
    }
  }

  @Test
  void shouldPiggybackAQuickAnswer() throws IOException {
    try (CoapPeer peer = new CoapPeer(gateway.coapPort())) {
      peer.send(CoapPeer.request("CON", 1, 17, "unix"));
      assertThat(peer.receive(5_000).map(CoapPeer::header)).hasValue("ACK 2.05 mid=17");
      assertThat(peer.receive(200)).isEmpty();
    }
  }

  @Test
  void shouldAcknowledgeASlowRequestAndAnswerItLater() throws IOException {
    try (CoapPeer peer = new CoapPeer(gateway.coapPort())) {
      long sent = System.nanoTime();
      peer.send(CoapPeer.request("CON", 1, 18, "unix", slow("1200")));
      assertThat(peer.receive(5_000).map(CoapPeer::header)).hasValue("ACK 0.00 mid=18");
      assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sent)).isBetween(450L, 1_000L);
      byte[] response = peer.receive(5_000).orElseThrow();
      assertThat(CoapPeer.header(response)).startsWith("CON 2.05 ");
      assertThat(response[4]).as("token").isEqualTo((byte) 0x2a);
      byte[] again = peer.receive(8_000).orElseThrow();
      assertThat(again).as("sent again until acknowledged").isEqualTo(response);
      peer.send(new byte[] {0x60, 0, response[2], response[3]});
      assertThat(peer.receive(6_000)).isEmpty();
    }
  }

  /** The further path {@code /slow/MILLIS}, after a Uri-Path option. */
  private static byte[] slow(String millis) {
    byte[] path =
        ("\u0004slow" + (char) millis.length() + millis).getBytes(StandardCharsets.US_ASCII);
    return path;
  }

  @Test
  void shouldRunARetransmittedRequestOnce() throws IOException {
    try (CoapPeer peer = new CoapPeer(gateway.coapPort())) {
      int runs = unix.runs();
      byte[] request = CoapPeer.request("CON", 2, 19, "unix");
      peer.send(request);
      byte[] first = peer.receive(5_000).orElseThrow();
      peer.send(request);
      assertThat(peer.receive(5_000).orElseThrow()).isEqualTo(first);
      byte[] slow = CoapPeer.request("CON", 2, 20, "unix", slow("1000"));
      peer.send(slow);
      peer.send(slow);
      assertThat(peer.receive(5_000).map(CoapPeer::header)).hasValue("ACK 0.00 mid=20");
      peer.send(slow);
      assertThat(peer.receive(5_000).map(CoapPeer::header)).hasValue("ACK 0.00 mid=20");
      assertThat(peer.receive(5_000).map(CoapPeer::header).orElseThrow()).startsWith("CON 2.04 ");
      assertThat(unix.runs() - runs).isEqualTo(2);
    }
  }

  @Test
  void shouldAnswerNonWithNonAndNoAcknowledgement() throws IOException {
    try (CoapPeer peer = new CoapPeer(gateway.coapPort())) {
      peer.send(CoapPeer.request("NON", 1, 21, "unix", slow("800")));
      assertThat(peer.receive(5_000).map(CoapPeer::header).orElseThrow()).startsWith("NON 2.05 ");
      assertThat(peer.receive(200)).isEmpty();
      byte[] request = CoapPeer.request("NON", 1, 22, "unix");
      int runs = unix.runs();
      peer.send(request);
      peer.send(request);
      assertThat(peer.receive(5_000)).isPresent();
      assertThat(peer.receive(300)).isEmpty();
      assertThat(unix.runs() - runs).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "40000017, RST 0.00 mid=23, ping",
        "80010017, -, version 2",
        "490100172a2a2a2a2a2a2a2a2a, RST 0.00 mid=23, token length 9",
        "590100172a2a2a2a2a2a2a2a2a, -, token length 9 in a NON",
        "4f010017, RST 0.00 mid=23, token length 15",
        "410800172ab4756e6978, ACK 4.05 mid=23, method 0.08",
        "411e00172ab4756e6978, ACK 4.05 mid=23, method 0.30",
        "410100172ab4756e6978e104bd00, ACK 4.02 mid=23, critical option 1493",
        "410100172ab4756e6978e104bc00, ACK 2.05 mid=23, elective option 1492",
        "410100172a9021756e, ACK 4.02 mid=23, OSCORE",
        "410100172ab4756e69788000, ACK 4.02 mid=23, Q-Block1",
        "410100172ab4756e6978d10b61, ACK 5.05 mid=23, Proxy-Uri",
        "410100172ab4756e6978d40f636f6170, ACK 5.05 mid=23, Proxy-Scheme",
        "410100172ab4756e6978ff, RST 0.00 mid=23, payload marker without payload",
        "410100172ab4756e69780f, RST 0.00 mid=23, reserved option length",
        "410100172ab4756e697807, RST 0.00 mid=23, option longer than the message",
        "410100172a4901020304050607080974756e6978, ACK 2.05 mid=23, ETag of 9 bytes",
        "410100172ab4756e697863616263, ACK 4.02 mid=23, Accept of 3 bytes",
        "410100172ab4756e69786100613c, ACK 4.02 mid=23, Accept twice",
        "410100172a3161003162b4756e6978, ACK 4.02 mid=23, Uri-Host twice",
        "410100172a4101010274756e6978, ACK 2.05 mid=23, two ETags",
        "410200172ab4756e6978d1023c0105, ACK 2.04 mid=23, Size1 twice",
        "410300172ab4756e6978d10308ff0102030405060708090a0b0c0d0e0f1011, ACK 4.00 mid=23, 17 bytes in a block of 16",
        "414500172aff61, RST 0.00 mid=23, a response",
        "514500172aff61, -, a response in a NON",
        "614500172aff61, -, a response in an ACK",
        "412100172ab4756e6978, RST 0.00 mid=23, reserved code 1.01",
        "41e100172ab4756e6978, RST 0.00 mid=23, reserved code 7.01",
        "4100001700, RST 0.00 mid=23, an empty message with a token",
        "610100172ab4756e6978, -, a request in an ACK",
        "710100172ab4756e6978, -, a request in a RST",
        "50000017, RST 0.00 mid=23, an empty NON",
        "4101, -, too short",
        "60000017, -, acknowledgement of nothing",
      })
  void shouldTreatOddMessagesAsTheRfcSays(String message, String answer, String what)
      throws IOException {
    try (CoapPeer peer = new CoapPeer(gateway.coapPort())) {
      peer.send(message);
      assertThat(peer.receive(answer == null ? 300 : 5_000).map(CoapPeer::header))
          .as(what)
          .isEqualTo(Optional.ofNullable(answer));
    }
    assertThat(code(get("unix"))).isEqualTo("2.05");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-N", "-b 64", "-b 1024"})
  void shouldServeLibcoapsClient(String options) throws Exception {
    Path body = Files.write(folder.resolve("body"), random(20_000));
    Path out = folder.resolve("out");
    List<String> command = new ArrayList<>(List.of("coap-client-notls", "-B", "10", "-m", "put"));
    if (!options.isEmpty()) {
      command.addAll(List.of(options.split(" ")));
    }
    command.addAll(List.of("-f", body.toString(), "-o", out.toString(), uri("unix")));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    assertThat(Files.readAllBytes(out)).as(output).isEqualTo(random(20_000));
  }

  @Test
  void shouldCountAndMeasure() {
    get("tcp");
    get("tcp/status/500");
    get("tcp/status/404");
    get("nobody");
    HttpResponse<String> metrics = gateway.get("/q/metrics");
    assertThat(metrics.body().lines())
        .anyMatch(
            l ->
                l.matches(
                    "tinyfaas_invocations_total\\{function=\"tcp\",outcome=\"ok\",protocol=\"coap\"} .*"))
        .anyMatch(
            l ->
                l.startsWith(
                    "tinyfaas_invocations_total{function=\"tcp\",outcome=\"function_error\""))
        .anyMatch(
            l ->
                l.startsWith(
                    "tinyfaas_invocations_total{function=\"tcp\",outcome=\"client_error\""))
        .anyMatch(
            l ->
                l.startsWith(
                    "tinyfaas_invocations_total{function=\"\",outcome=\"unknown_function\""))
        .anyMatch(
            l ->
                l.startsWith(
                    "tinyfaas_invocation_seconds_bucket{function=\"tcp\",protocol=\"coap\",le=\"0.001\"}"))
        .anyMatch(l -> l.equals("tinyfaas_in_flight 0.0"))
        .anyMatch(l -> l.equals("tinyfaas_route_revision 1.0"));
  }

  @Test
  void shouldBeReady() {
    assertThat(gateway.get("/q/health/ready").statusCode()).isEqualTo(200);
    assertThat(gateway.get("/q/health/live").statusCode()).isEqualTo(200);
  }
}
