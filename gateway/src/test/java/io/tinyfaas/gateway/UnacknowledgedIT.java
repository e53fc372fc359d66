package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.Datagram.ACK;
import static io.tinyfaas.gateway.Datagram.CON;
import static io.tinyfaas.gateway.Datagram.NON;
import static io.tinyfaas.gateway.Datagram.POST;
import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Answers that come after their acknowledgement, and are not acknowledged themselves. */
@Timeout(60)
class UnacknowledgedIT {

  private static final int TAKES_MILLIS = 20;

  /** Of which 2.9 MB may be there until they are acknowledged, with 35 MB of heap. */
  private static final int ANSWER_BYTES = 1_000;

  private static final int REQUESTS = 1_400;
  private static final int AT_A_TIME = 50;

  @TempDir private Path folder;

  @Test
  void shouldHoldNoMoreOfThemThanThereIsRoomFor() throws IOException {
    Buffer answer = Buffer.buffer(new byte[ANSWER_BYTES]);
    try (ServedGateway system =
        new ServedGateway(
            folder,
            Map.of("TINYFAAS_COAP_ACK_DELAY", "1ms"),
            (request, body) -> later(request.response(), answer))) {
      system.serve(PlayedManager.route("f", 10_000, system.handler()));
      int port = system.process().coapPort();
      int confirmable = 0;
      int others = 0;
      try (CoapPeer device = new CoapPeer("127.0.30.1", port)) {
        for (int mid = 0; mid < REQUESTS; mid++) {
          device.send(Datagram.request(CON, POST, mid, "f"));
          if (mid % AT_A_TIME == 0 || mid == REQUESTS - 1) {
            Optional<byte[]> next = device.receive(200);
            for (int read = 0; read < 4 * AT_A_TIME && next.isPresent(); read++) {
              int type = Datagram.parse(next.get()).type();
              confirmable += type == CON ? 1 : 0;
              others += type == NON ? 1 : 0;
              next = device.receive(50);
            }
          }
        }
      }
      assertThat(confirmable).isPositive();
      assertThat(others).isPositive();

      try (CoapPeer other = new CoapPeer("127.0.30.2", port)) {
        assertThat(other.ask(Datagram.request(CON, POST, 1, "f")).type()).isEqualTo(ACK);
      }
    }
  }

  private static void later(HttpServerResponse response, Buffer answer) {
    Vertx.currentContext().owner().setTimer(TAKES_MILLIS, now -> response.end(answer));
  }
}
