package io.tinyfaas.harness.flood;

import java.io.IOException;

/**
 * DTLS: handshakes that prove their address and go no further. Outcomes: {@code begun}, {@code
 * unproved} where another proof was asked for, and {@code none}.
 */
public final class DtlsFlood extends Flood<DtlsFlood> {

  DtlsFlood() {}

  @Override
  DtlsFlood self() {
    return this;
  }

  @Override
  void attack(FloodClient client) throws IOException {
    do {
      try (HalfHandshake handshake = new HalfHandshake(client.from(), client.to(), new byte[0])) {
        client.tell(handshake.isAnswered() ? "begun" : "unproved");
      } catch (IllegalStateException e) {
        client.tell("none");
      }
      client.sent();
    } while (client.comesAgain());
  }
}
