package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.CoapFunctions.code;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Messages and their answers as RFC 7252 has them, by datagrams that the test writes. */
class CoapExchangesIT {

  @RegisterExtension private static final CoapFunctions SYSTEM = CoapFunctions.STARTED_ONCE;

  @Test
  void shouldServeAHundredDevicesAtOnce() throws IOException {
    List<CoapPeer> peers = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      peers.add(new CoapPeer(SYSTEM.gateway().coapPort()));
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
    try (CoapPeer peer = new CoapPeer(SYSTEM.gateway().coapPort())) {
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
    try (CoapPeer peer = new CoapPeer(SYSTEM.gateway().coapPort())) {
      peer.send(CoapPeer.request("CON", 1, 17, "unix"));
      assertThat(peer.receive(5_000).map(CoapPeer::header)).hasValue("ACK 2.05 mid=17");
      assertThat(peer.receive(200)).isEmpty();
    }
  }

  @Test
  void shouldAcknowledgeASlowRequestAndAnswerItLater() throws IOException {
    try (CoapPeer peer = new CoapPeer(SYSTEM.gateway().coapPort())) {
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
    try (CoapPeer peer = new CoapPeer(SYSTEM.gateway().coapPort())) {
      int runs = SYSTEM.runs();
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
      assertThat(SYSTEM.runs() - runs).isEqualTo(2);
    }
  }

  @Test
  void shouldAnswerNonWithNonAndNoAcknowledgement() throws IOException {
    try (CoapPeer peer = new CoapPeer(SYSTEM.gateway().coapPort())) {
      peer.send(CoapPeer.request("NON", 1, 21, "unix", slow("800")));
      assertThat(peer.receive(5_000).map(CoapPeer::header).orElseThrow()).startsWith("NON 2.05 ");
      assertThat(peer.receive(200)).isEmpty();
      byte[] request = CoapPeer.request("NON", 1, 22, "unix");
      int runs = SYSTEM.runs();
      peer.send(request);
      peer.send(request);
      assertThat(peer.receive(5_000)).isPresent();
      assertThat(peer.receive(300)).isEmpty();
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
    try (CoapPeer peer = new CoapPeer(SYSTEM.gateway().coapPort())) {
      peer.send(message);
      assertThat(peer.receive(answer == null ? 300 : 5_000).map(CoapPeer::header))
          .as(what)
          .isEqualTo(Optional.ofNullable(answer));
    }
    assertThat(code(SYSTEM.get("unix"))).isEqualTo("2.05");
  }
}
