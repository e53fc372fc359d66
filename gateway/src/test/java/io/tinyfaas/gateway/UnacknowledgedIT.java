package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.Datagram.ACK;
import static io.tinyfaas.gateway.Datagram.CON;
import static io.tinyfaas.gateway.Datagram.NON;
import static io.tinyfaas.gateway.Datagram.POST;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Answers that come after their acknowledgement, and are not acknowledged themselves. */
@Tag("slow")
class UnacknowledgedIT {

  private static final int TAKES_MILLIS = 20;

  /** Of which 2.9 MB may be there until they are acknowledged, with 35 MB of heap. */
  private static final int ANSWER_BYTES = 1_000;

  private static final int REQUESTS = 1_400;
  private static final int AT_A_TIME = 50;

  /** As devices do (RFC 7252, 4.8): what comes while a socket is full is lost. */
  private static final int SEND_AGAIN_MILLIS = 2_000;

  @TempDir private Path folder;

  @Test
  void shouldHoldNoMoreOfThemThanThereIsRoomFor() throws IOException {
    Buffer answer = Buffer.buffer(new byte[ANSWER_BYTES]);
    try (ServedGateway system =
        new ServedGateway(
            folder,
            Map.of("TINYFAAS_COAP_ACK_DELAY", "1ms"),
            (request, body) -> later(request.response(), answer))) {
      system.serve(PlayedManager.route("f", 600_000, system.handler()));
      int port = system.process().coapPort();
      Set<Integer> types = new HashSet<>();
      try (CoapPeer device = new CoapPeer("127.0.30.1", port)) {
        for (int mid = 0; mid < REQUESTS; mid += AT_A_TIME) {
          ask(device, mid, types);
        }
        while (!types.contains(NON)) {
          types.add(device.next().type());
        }
      }
      assertThat(types).contains(CON, NON);

      try (CoapPeer other = new CoapPeer("127.0.30.2", port)) {
        assertThat(other.ask(Datagram.request(CON, POST, 1, "f")).type()).isEqualTo(ACK);
      }
    }
  }

  /** Returns when the gateway has got as many requests as are sent at a time. */
  private static void ask(CoapPeer device, int firstMid, Set<Integer> types) throws IOException {
    Map<Integer, Datagram> unheard = new HashMap<>();
    for (int mid = firstMid; mid < firstMid + AT_A_TIME; mid++) {
      unheard.put(mid, request(mid));
    }
    long deadline = System.nanoTime() + patient(Duration.ofMinutes(1)).toNanos();
    while (!unheard.isEmpty()) {
      assertThat(System.nanoTime()).as("deadline for " + unheard.keySet()).isLessThan(deadline);
      for (Datagram request : unheard.values()) {
        device.send(request);
      }
      Optional<byte[]> next = device.receive(SEND_AGAIN_MILLIS);
      while (next.isPresent() && !unheard.isEmpty()) {
        Datagram heard = Datagram.parse(next.get());
        types.add(heard.type());
        // An answer says as much as an acknowledgement that was lost (RFC 7252, 5.2.2).
        unheard.remove(heard.type() == ACK ? heard.mid() : mid(heard.token()));
        next = unheard.isEmpty() ? Optional.empty() : device.receive(SEND_AGAIN_MILLIS);
      }
    }
  }

  /** With its message ID as its token. */
  private static Datagram request(int mid) {
    Datagram request = Datagram.request(CON, POST, mid, "f");
    byte[] token = {(byte) (mid >> 8), (byte) mid};
    return new Datagram(CON, POST, mid, token, request.options(), request.payload());
  }

  private static int mid(byte[] token) {
    return (token[0] & 0xff) << 8 | token[1] & 0xff;
  }

  private static void later(HttpServerResponse response, Buffer answer) {
    Vertx.currentContext().owner().setTimer(TAKES_MILLIS, now -> response.end(answer));
  }
}
