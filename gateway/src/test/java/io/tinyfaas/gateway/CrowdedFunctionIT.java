package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.Datagram.CON;
import static io.tinyfaas.gateway.Datagram.GET;
import static io.tinyfaas.gateway.Datagram.NON;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A function that is asked by one address for more than it can answer, and by others. */
class CrowdedFunctionIT {

  private static final int MOST = 20_000;

  /** The gateway's socket has room for so many. */
  private static final int AT_A_TIME = 50;

  /** As devices do: what comes while the gateway's socket is full is lost. */
  private static final int TRIES = 5;

  @TempDir private static Path folder;
  private static CoapDevices system;

  @BeforeAll
  static void start() throws IOException {
    system = new CoapDevices(folder, Map.of());
  }

  @AfterAll
  static void stop() {
    system.close();
  }

  @Test
  void shouldAnswerOthersWhileOneAddressAsksForMoreThanTheFunctionCanDo() throws IOException {
    try (CoapPeer greedy = system.device("127.0.0.2");
        CoapPeer other = system.device("127.0.0.3")) {
      boolean refused = false;
      for (int mid = 0; mid < MOST && !refused; mid++) {
        greedy.send(Datagram.request(CON, GET, mid, "f", "slow", "150"));
        refused = mid % AT_A_TIME == 0 && isRefused(greedy);
      }
      assertThat(refused).as("it has all that one address may have").isTrue();

      int before = 0;
      Optional<byte[]> answer = Optional.empty();
      for (int mid = 0; mid < TRIES && answer.isEmpty(); mid++) {
        before = system.runs();
        other.send(Datagram.request(NON, GET, mid, "f"));
        answer = other.receive(1_000);
      }
      assertThat(Datagram.parse(answer.orElseThrow()).head()).isEqualTo("NON 2.05");
      assertThat(system.runs() - before).as("which have come first").isLessThan(200);
    }
  }

  private static boolean isRefused(CoapPeer device) throws IOException {
    for (var answer = device.receive(1); answer.isPresent(); answer = device.receive(1)) {
      if (Datagram.parse(answer.get()).head().equals("ACK 4.29")) {
        return true;
      }
    }
    return false;
  }
}
