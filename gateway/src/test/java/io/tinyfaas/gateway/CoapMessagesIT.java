package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.Datagram.CON;
import static io.tinyfaas.gateway.Datagram.GET;
import static io.tinyfaas.gateway.Datagram.MAX_AGE;
import static io.tinyfaas.gateway.Datagram.NON;
import static io.tinyfaas.gateway.Datagram.NO_RESPONSE;
import static io.tinyfaas.gateway.Datagram.POST;
import static io.tinyfaas.gateway.Datagram.URI_PATH;
import static io.tinyfaas.gateway.Datagram.URI_QUERY;
import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The message layer, datagram by datagram, with a gateway that listens on all addresses. */
class CoapMessagesIT {

  @TempDir private static Path folder;
  private static CoapDevices system;
  private int mid = 0x1000;

  @BeforeAll
  static void start() throws IOException {
    system =
        new CoapDevices(
            folder,
            Map.of(
                "TINYFAAS_COAP_HOST",
                "0.0.0.0",
                "TINYFAAS_COAP_TRUSTED_NETWORKS",
                "0.0.0.0/0,::/0",
                "TINYFAAS_MAX_IN_FLIGHT_PER_PEER",
                "4"));
  }

  @AfterAll
  static void stop() {
    system.close();
  }

  @BeforeEach
  void hold() {
    system.held().hold();
  }

  /** A request that was answered in its acknowledgement, and the runs of the function before it. */
  private record Quick(Datagram request, Datagram answer, int runsBefore) {}

  /**
   * @param request with the message ID that it is given
   */
  private Quick quickly(CoapPeer device, Function<Integer, Datagram> request) {
    return InTime.before(
        CoapPeer.ACK_DELAY,
        () -> {
          int runs = system.runs();
          Datagram sent = request.apply(++mid);
          Datagram answer = device.ask(sent);
          if (isEmpty(answer)) {
            device.acknowledge(device.next());
          }
          return new Quick(sent, answer, runs);
        },
        quick -> !isEmpty(quick.answer()));
  }

  private static boolean isEmpty(Datagram answer) {
    return answer.head().equals("ACK 0.00");
  }

  @ParameterizedTest(name = "RFC 7967 2.1: No-Response {0} to a {1}: {2}")
  @CsvSource(
      nullValues = "-",
      value = {
        "2,  200, ACK 0.00",
        "26, 200, ACK 0.00",
        "26, 404, ACK 0.00",
        "26, 503, ACK 0.00",
        "2,  404, ACK 4.04",
        "8,  404, ACK 0.00",
        "8,  200, ACK 2.05",
        "16, 503, ACK 0.00",
        "16, 404, ACK 4.04",
        "0,  200, ACK 2.05",
      })
  void shouldAcknowledgeWhatNoResponseSuppresses(int suppressed, int status, String answer)
      throws IOException {
    Function<Integer, Datagram> request =
        mid ->
            Datagram.request(CON, GET, mid, "f", "status", Integer.toString(status))
                .with(NO_RESPONSE, (byte) suppressed);
    try (CoapPeer device = system.device()) {
      int runs = system.runs();
      Quick quick =
          answer.equals("ACK 0.00")
              ? new Quick(request.apply(++mid), device.ask(request.apply(mid)), runs)
              : quickly(device, request);
      assertThat(quick.answer().head()).isEqualTo(answer);
      assertThat(device.ask(quick.request()).head()).as("sent again").isEqualTo(answer);
      // The acknowledgement need not wait for the function.
      eventually().until(() -> system.runs() > quick.runsBefore());
      assertThat(device.receive(100)).isEmpty();
      assertThat(system.runs() - quick.runsBefore()).isEqualTo(1);
    }
  }

  /** 1.5 KB each, of which there are 400 KB of objects for as long as the function takes. */
  @Test
  @DisplayName("Datagrams of nothing but options run nothing, and end nothing")
  void shouldRefuseMoreOptionsThanAnyDeviceSends() throws IOException {
    try (CoapPeer device = system.device()) {
      Datagram request = Datagram.request(CON, GET, 0, "held");
      for (int i = 0; i < 61; i++) {
        request = request.with(URI_QUERY);
      }
      assertThat(device.ask(request).head()).isEqualTo("ACK 0.00");
      system.held().release();
      Datagram answer = device.next();
      assertThat(answer.head()).isEqualTo("CON 2.05");
      device.acknowledge(answer);
      int runs = system.heldRuns();

      Datagram next = Datagram.request(CON, GET, 1, "held");
      byte[] many = Arrays.copyOf(next.bytes(), 1_500);
      int begin = next.bytes().length;
      many[begin] = (byte) ((URI_QUERY - URI_PATH) << 4); // and what follows are more of them
      for (int mid = 1; mid <= 300; mid++) {
        many[2] = (byte) (mid >> 8);
        many[3] = (byte) mid;
        device.send(many);
        assertThat(device.next().head()).isEqualTo("ACK 4.02");
      }
      assertThat(system.heldRuns()).isEqualTo(runs);
    }
  }

  @ParameterizedTest(name = "RFC 7252 4.5: a message that comes again is answered as before, {0}")
  @CsvSource({
    "size 10,   ACK 2.04",
    "size 0,    ACK 2.04",
    "size 3000, ACK 2.04",
    "status 404, ACK 4.04"
  })
  void shouldAnswerAMessageThatComesAgainAsBefore(String query, String answer) throws IOException {
    String[] words = query.split(" ");
    try (CoapPeer device = system.device()) {
      Quick first =
          quickly(device, mid -> Datagram.request(CON, POST, mid, "f", words[0], words[1]));
      assertThat(first.answer().head()).isEqualTo(answer);
      for (int i = 0; i < 3; i++) {
        assertThat(device.ask(first.request()).bytes()).isEqualTo(first.answer().bytes());
      }
      assertThat(system.runs() - first.runsBefore()).isEqualTo(1);
    }
  }

  @Test
  @DisplayName("RFC 7252 4.5: a message that comes again is acknowledged as before, held")
  void shouldAcknowledgeAMessageThatComesAgainAsBefore() throws IOException {
    Datagram request = Datagram.request(CON, POST, 400, "held");
    try (CoapPeer device = system.device()) {
      int runs = system.heldRuns();
      Datagram first = device.ask(request);
      assertThat(first.head()).isEqualTo("ACK 0.00");
      for (int i = 0; i < 3; i++) {
        assertThat(device.ask(request).bytes()).isEqualTo(first.bytes());
      }
      system.held().release();
      Datagram answer = device.next();
      assertThat(answer.head()).isEqualTo("CON 2.04");
      device.acknowledge(answer);
      assertThat(system.heldRuns() - runs).isEqualTo(1);
    }
  }

  @Test
  @DisplayName("RFC 7967 2.1: a NON with No-Response gets nothing, and the function runs")
  void shouldSayNothingToANonThatWantsNoResponse() throws IOException {
    try (CoapPeer device = system.device()) {
      int runs = system.runs();
      device.send(Datagram.request(NON, GET, 1, "f").with(NO_RESPONSE, (byte) 26));
      eventually().until(() -> system.runs() == runs + 1);
      assertThat(device.receive(200)).isEmpty();
    }
  }

  /**
   * Pairs of a device's address and one that it asks, most of which the system would answer with
   * the other; by IPv6 the gateway leaves that to the system. None of them comes and goes, as those
   * of Docker's networks do.
   */
  static Stream<Arguments> addresses() throws IOException {
    Stream.Builder<Arguments> pairs = Stream.builder();
    for (String asked : List.of("127.0.0.1", "127.0.1.1", "127.1.2.3")) {
      pairs.add(pair("127.0.0.1", asked));
    }
    outward("192.0.2.1")
        .ifPresent(
            own -> {
              pairs.add(pair(own, own));
              pairs.add(pair("127.0.0.1", own));
              pairs.add(pair(own, "127.0.0.1"));
            });
    pairs.add(pair("::1", "::1"));
    outward("2001:db8::1").ifPresent(own -> pairs.add(pair(own, own)));
    return pairs.build();
  }

  private static Arguments pair(String own, String asked) {
    return Arguments.of(address(own), address(asked));
  }

  /** This box's own address towards another, to which nothing is sent; empty without a route. */
  private static Optional<String> outward(String far) throws IOException {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(new InetSocketAddress(address(far), 9));
      return Optional.of(socket.getLocalAddress().getHostAddress());
    } catch (SocketException | UncheckedIOException e) {
      return Optional.empty();
    }
  }

  private static InetAddress address(String text) {
    return InetAddress.ofLiteral(text);
  }

  /** The device's socket is connected: it hears only what comes from where it asked. */
  @ParameterizedTest(
      name = "RFC 7252 5.3.2: the answer to {0} comes from the address that was asked, {1}")
  @MethodSource("addresses")
  void shouldAnswerFromTheAddressThatWasAsked(InetAddress own, InetAddress asked)
      throws IOException {
    try (CoapPeer device = new CoapPeer(own, asked, system.gateway().coapPort())) {
      for (int mid = 0; mid < 3; mid++) {
        assertThat(device.answer(Datagram.request(CON, GET, mid, "f")).head())
            .isEqualTo("ACK 2.05");
      }
      assertThat(device.ask(Datagram.request(CON, GET, 4, "held")).head()).isEqualTo("ACK 0.00");
      system.held().release();
      assertThat(device.next().head()).isEqualTo("CON 2.05");
    }
  }

  @Test
  @DisplayName("RFC 7252 5.3.2: an answer that is sent again comes from the address that was asked")
  void shouldSendAnAnswerAgainFromTheAddressThatWasAsked() throws IOException {
    int port = system.gateway().coapPort();
    try (CoapPeer device = new CoapPeer(address("127.0.0.1"), address("127.1.2.3"), port)) {
      assertThat(device.ask(Datagram.request(CON, GET, 5, "held")).head()).isEqualTo("ACK 0.00");
      system.held().release();
      Datagram answer = device.next();
      assertThat(answer.head()).isEqualTo("CON 2.05");
      assertThat(device.next().bytes()).isEqualTo(answer.bytes());
    }
  }

  @Test
  @DisplayName("RFC 7252 8.2: a broadcast is not answered")
  void shouldNotAnswerABroadcast() throws IOException {
    InetAddress broadcast = address("127.255.255.255");
    int runs = system.runs();
    try (CoapPeer device = CoapPeer.unconnected(broadcast, system.gateway().coapPort())) {
      device.send(Datagram.request(NON, GET, 1, "f"));
      device.send(Datagram.request(NON, GET, 2, "nobody"));
      device.send(Datagram.empty(CON, 3));
      try (CoapPeer other = system.device()) {
        assertThat(other.answer(Datagram.request(CON, GET, 1, "f")).head()).isEqualTo("ACK 2.05");
      }
      assertThat(device.receive(300)).isEmpty();
    }
    assertThat(system.runs()).as("of the other device").isEqualTo(runs + 1);
  }

  @Test
  @DisplayName(
      "RFC 7252 4.5: a message is not run again within its lifetime, even when its answer is forgotten")
  void shouldKnowAMessageLongAfterItsAnswer() throws IOException {
    try (CoapPeer device = system.device("127.0.8.3")) {
      Datagram post = quickly(device, mid -> Datagram.request(CON, POST, mid, "f")).request();
      Datagram get = quickly(device, mid -> Datagram.request(CON, GET, mid, "f")).request();
      for (int i = 0; i < 500; i++) {
        device.answer(Datagram.request(CON, POST, ++mid, i % 2 == 0 ? "f" : "nobody"));
      }
      int runs = system.runs();
      device.send(post);
      assertThat(device.untilNow()).isEmpty();
      assertThat(device.receive(200)).isEmpty();
      assertThat(system.runs()).isEqualTo(runs);
      assertThat(device.answer(get).head()).as("a GET may be run again").isEqualTo("ACK 2.05");
      assertThat(system.runs()).isEqualTo(runs + 1);
    }
  }

  @Test
  @DisplayName("RFC 8516: one that asks for more than its share is told to wait")
  void shouldBoundTheRequestsOfOneAddress() throws IOException {
    try (CoapPeer greedy = system.device("127.0.8.1");
        CoapPeer other = system.device("127.0.8.2")) {
      for (int mid = 1; mid <= 4; mid++) {
        greedy.send(Datagram.request(NON, GET, mid, "held"));
      }
      system.held().await(4);
      Datagram refused = greedy.ask(Datagram.request(CON, GET, 5, "f"));
      assertThat(refused.head()).isEqualTo("ACK 4.29");
      assertThat(refused.number(MAX_AGE)).hasValue(1L);
      assertThat(other.answer(Datagram.request(CON, GET, 1, "f")).head()).isEqualTo("ACK 2.05");

      system.held().release();
      for (int answer = 1; answer <= 4; answer++) {
        assertThat(greedy.next().head()).isEqualTo("NON 2.05");
      }
      assertThat(greedy.answer(Datagram.request(CON, GET, 6, "f")).head()).isEqualTo("ACK 2.05");
    }
  }
}
