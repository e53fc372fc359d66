package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.CoapFunctions.code;
import static io.tinyfaas.gateway.Datagram.ACK;
import static io.tinyfaas.gateway.Datagram.CON;
import static io.tinyfaas.gateway.Datagram.GET;
import static io.tinyfaas.gateway.Datagram.NON;
import static io.tinyfaas.gateway.Datagram.POST;
import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Messages and their answers as RFC 7252 has them, by datagrams that the test writes. */
class CoapExchangesIT {

  @RegisterExtension private static final CoapFunctions SYSTEM = CoapFunctions.STARTED_ONCE;

  /** Of a handler's 64: the others are for other addresses, and all these devices are at one. */
  private static final int MAX_CONNECTIONS = 56;

  private int mid = 0x1000;

  @BeforeEach
  void hold() {
    SYSTEM.held().hold();
  }

  private static Datagram held(int type, int mid) {
    return Datagram.request(type, GET, mid, "held");
  }

  private static CoapPeer device() throws IOException {
    return new CoapPeer(SYSTEM.gateway().coapPort());
  }

  @Test
  void shouldServeAHundredDevicesAtOnce() throws IOException {
    List<CoapPeer> peers = new ArrayList<>();
    try {
      for (int i = 0; i < 100; i++) {
        peers.add(device());
        peers.getLast().send(held(CON, 30));
      }
      for (CoapPeer peer : peers) {
        assertThat(peer.next().head()).as("while none is answered").isEqualTo("ACK 0.00");
      }
      SYSTEM.held().await(MAX_CONNECTIONS);
      SYSTEM.held().release();
      for (CoapPeer peer : peers) {
        Datagram answer = peer.next();
        assertThat(answer.head()).isEqualTo("CON 2.05");
        peer.acknowledge(answer);
      }
    } finally {
      peers.forEach(CoapPeer::close);
    }
  }

  @Test
  void shouldServeAHundredRequestsOfOneDeviceAtOnce() throws IOException {
    try (CoapPeer peer = device()) {
      for (int mid = 100; mid < 200; mid++) {
        peer.send(held(NON, mid));
      }
      SYSTEM.held().await(MAX_CONNECTIONS);
      eventually()
          .untilAsserted(
              () ->
                  assertThat(SYSTEM.gateway().get("/q/metrics").body())
                      .contains("tinyfaas_in_flight 100.0"));
      SYSTEM.held().release();
      Set<Byte> tokens = new HashSet<>();
      for (int i = 0; i < 100; i++) {
        Datagram answer = peer.next();
        assertThat(answer.head()).isEqualTo("NON 2.05");
        tokens.add(answer.token()[0]);
      }
      assertThat(tokens).hasSize(100);
    }
  }

  /** What a request is answered with in its acknowledgement, if the function is quick enough. */
  private Datagram quickly(CoapPeer peer, Function<Integer, Datagram> request) {
    return InTime.before(
        CoapPeer.ACK_DELAY,
        () -> {
          Datagram answer = peer.ask(request.apply(++mid));
          if (isEmpty(answer)) {
            peer.acknowledge(peer.next());
          }
          return answer;
        },
        answer -> !isEmpty(answer));
  }

  private static boolean isEmpty(Datagram answer) {
    return answer.head().equals("ACK 0.00");
  }

  @Test
  void shouldPiggybackAQuickAnswer() throws IOException {
    try (CoapPeer peer = device()) {
      Datagram answer = quickly(peer, mid -> Datagram.request(CON, GET, mid, "unix"));
      assertThat(answer.head()).isEqualTo("ACK 2.05");
      assertThat(answer.mid()).isEqualTo(mid);
      assertThat(peer.receive(200)).isEmpty();
    }
  }

  @Test
  void shouldAcknowledgeASlowRequestAndAnswerItLater() throws IOException {
    try (CoapPeer peer = device()) {
      long sent = System.nanoTime();
      peer.send(held(CON, 18).withToken(0x2a));
      Datagram acknowledgement = peer.next();
      assertThat(Duration.ofNanos(System.nanoTime() - sent))
          .isGreaterThanOrEqualTo(CoapPeer.ACK_DELAY);
      assertThat(acknowledgement.head()).isEqualTo("ACK 0.00");
      assertThat(acknowledgement.mid()).isEqualTo(18);
      SYSTEM.held().release();
      Datagram response = peer.next();
      assertThat(response.head()).isEqualTo("CON 2.05");
      assertThat(response.token()).isEqualTo(new byte[] {0x2a});
      assertThat(peer.next().bytes())
          .as("sent again until acknowledged")
          .isEqualTo(response.bytes());
      peer.acknowledge(response);
      assertThat(peer.receive(6_000)).isEmpty();
    }
  }

  /** Well before a device would send it again, after 2 to 3 s: by the clock of the gateway. */
  @Test
  void shouldAcknowledgeASlowRequestWithinASecond() throws IOException {
    try (CoapPeer peer = device()) {
      Datagram first =
          InTime.before(
              CoapFunctions.HASTY,
              () -> {
                peer.send(held(CON, ++mid));
                peer.send(Datagram.request(NON, GET, ++mid, "hasty"));
                Datagram earlier = peer.next();
                Datagram later = peer.next();
                assertThat(List.of(earlier.head(), later.head()))
                    .containsExactlyInAnyOrder("ACK 0.00", "NON 5.04");
                return earlier;
              },
              earlier -> earlier.type() == ACK);
      assertThat(first.mid()).isEqualTo(mid - 1);
    }
  }

  @Test
  void shouldRunARetransmittedRequestOnce() throws IOException {
    try (CoapPeer peer = device()) {
      int runs = SYSTEM.runs();
      AtomicInteger times = new AtomicInteger();
      Function<Integer, Datagram> request = mid -> Datagram.request(CON, POST, mid, "unix");
      Datagram first =
          quickly(
              peer,
              mid -> {
                times.incrementAndGet();
                return request.apply(mid);
              });
      assertThat(first.head()).isEqualTo("ACK 2.04");
      assertThat(peer.ask(request.apply(mid)).bytes()).isEqualTo(first.bytes());
      assertThat(SYSTEM.runs() - runs).isEqualTo(times.get());
    }
  }

  @Test
  void shouldRunARetransmittedSlowRequestOnce() throws IOException {
    try (CoapPeer peer = device()) {
      int runs = SYSTEM.heldRuns();
      Datagram slow = Datagram.request(CON, POST, 20, "held");
      peer.send(slow);
      peer.send(slow);
      Datagram acknowledgement = peer.next();
      assertThat(acknowledgement.head()).isEqualTo("ACK 0.00");
      assertThat(acknowledgement.mid()).isEqualTo(20);
      assertThat(peer.untilNow())
          .as("one more at most, as the second may have come when the first was late already")
          .hasSizeLessThanOrEqualTo(1)
          .allMatch(CoapExchangesIT::isEmpty);
      assertThat(peer.ask(slow).bytes()).isEqualTo(acknowledgement.bytes());
      SYSTEM.held().release();
      Datagram answer = peer.next();
      assertThat(answer.head()).isEqualTo("CON 2.04");
      peer.acknowledge(answer);
      assertThat(SYSTEM.heldRuns() - runs).isEqualTo(1);
    }
  }

  /** The second one is Californium's from the start. */
  private static Stream<Datagram> slowRequests() {
    Datagram plain = Datagram.request(CON, POST, 24, "held");
    return Stream.of(plain, plain.with(Datagram.ETAG, (byte) 1));
  }

  @ParameterizedTest
  @MethodSource("slowRequests")
  @DisplayName("RFC 7252 4.5: a duplicate of what was answered in a message of its own")
  void shouldAcknowledgeADuplicateAndAnswerItUntilThatIsAcknowledged(Datagram slow)
      throws IOException {
    try (CoapPeer peer = device()) {
      int runs = SYSTEM.heldRuns();
      Datagram acknowledgement = peer.ask(slow);
      assertThat(acknowledgement.head()).isEqualTo("ACK 0.00");
      SYSTEM.held().release();
      Datagram answer = peer.next();
      assertThat(answer.head()).isEqualTo("CON 2.04");

      peer.send(slow);
      List<Datagram> again = peer.untilNow(); // and perhaps what is sent again without being asked
      assertThat(again).filteredOn(CoapExchangesIT::isEmpty).hasSize(1);
      assertThat(again.stream().filter(CoapExchangesIT::isEmpty).findFirst().orElseThrow().bytes())
          .isEqualTo(acknowledgement.bytes());
      assertThat(again)
          .filteredOn(message -> !isEmpty(message))
          .isNotEmpty()
          .allMatch(message -> Arrays.equals(message.bytes(), answer.bytes()));

      peer.acknowledge(answer);
      peer.send(slow);
      assertThat(peer.untilNow())
          .as("the answer is there")
          .singleElement()
          .satisfies(only -> assertThat(only.bytes()).isEqualTo(acknowledgement.bytes()));
      assertThat(SYSTEM.heldRuns() - runs).isEqualTo(1);
    }
  }

  @Test
  void shouldAnswerADuplicateOfASlowNonWithTheSame() throws IOException {
    try (CoapPeer peer = device()) {
      int runs = SYSTEM.heldRuns();
      Datagram slow = Datagram.request(NON, POST, 25, "held");
      peer.send(slow);
      SYSTEM.held().await(1);
      SYSTEM.held().release();
      Datagram answer = peer.next();
      assertThat(answer.head()).isEqualTo("NON 2.04");
      assertThat(peer.ask(slow).bytes()).isEqualTo(answer.bytes());
      assertThat(SYSTEM.heldRuns() - runs).isEqualTo(1);
    }
  }

  @Test
  void shouldAnswerNonWithNonAndNoAcknowledgement() throws IOException {
    try (CoapPeer peer = device()) {
      peer.send(held(NON, 21));
      // An acknowledgement of that one would come before one of a later one.
      Datagram acknowledgement = peer.ask(held(CON, 22));
      assertThat(acknowledgement.head()).isEqualTo("ACK 0.00");
      assertThat(acknowledgement.mid()).isEqualTo(22);
      SYSTEM.held().release();
      Map<Integer, Datagram> answers = new HashMap<>();
      for (int i = 0; i < 2; i++) {
        Datagram answer = peer.next();
        answers.put((int) answer.token()[0], answer);
      }
      assertThat(answers.get(21).head()).isEqualTo("NON 2.05");
      assertThat(answers.get(22).head()).isEqualTo("CON 2.05");
      peer.acknowledge(answers.get(22));
      assertThat(peer.receive(200)).isEmpty();
    }
  }

  @Test
  void shouldRunARetransmittedNonOnce() throws IOException {
    try (CoapPeer peer = device()) {
      Datagram request = Datagram.request(NON, GET, 23, "unix");
      int runs = SYSTEM.runs();
      peer.send(request);
      peer.send(request);
      Datagram answer = peer.next();
      assertThat(answer.head()).isEqualTo("NON 2.05");
      assertThat(peer.untilNow())
          .as("if the second came when the first was answered, the same again")
          .allMatch(again -> again.toString().equals(answer.toString()));
      assertThat(SYSTEM.runs() - runs).isEqualTo(1);
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
        "410300172ab4756e6978d10308ff0102030405060708090a0b0c0d0e0f1011, ACK 4.00 mid=23, 17 bytes"
            + " in a block of 16",
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
    try (CoapPeer peer = device()) {
      if (answer == null) {
        peer.send(message);
        assertThat(peer.untilNow()).as(what).isEmpty();
      } else {
        Datagram first = peer.answer(HexFormat.of().parseHex(message));
        assertThat(CoapPeer.header(first.bytes())).as(what).isEqualTo(answer);
      }
    }
    assertThat(code(SYSTEM.get("unix"))).isEqualTo("2.05");
  }
}
