package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.Datagram.CON;
import static io.tinyfaas.gateway.Datagram.GET;
import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A function that is asked by one address for more than it can answer, and by others. It holds what
 * it is asked for until the test lets go of it.
 */
@Tag("slow")
class CrowdedFunctionIT {

  private static final long FUNCTION_TIMEOUT_MILLIS = 600_000;

  /** Of one address; the next ones are refused. */
  private static final int MAX_IN_FLIGHT = 1_536;

  /** As many as a handler has connections. */
  private static final int RUNNING = 64;

  /** And so many of them may have calls of addresses that have others under way. */
  private static final int SHARED = 56;

  /** The gateway's socket has room for so many. */
  private static final int AT_A_TIME = 50;

  private static final Duration ANSWER = Duration.ofSeconds(10);

  @TempDir private Path folder;

  /** In the order of their coming. */
  private final List<HttpServerRequest> held = new CopyOnWriteArrayList<>();

  private void function(HttpServerRequest request, Buffer body) {
    held.add(request);
  }

  @Test
  void shouldAnswerOthersWhileOneAddressAsksForMoreThanTheFunctionCanDo() throws IOException {
    try (ServedGateway system =
        new ServedGateway(folder, Map.of("TINYFAAS_COAP_ACK_DELAY", "1ms"), this::function)) {
      system.serve(PlayedManager.route("f", FUNCTION_TIMEOUT_MILLIS, system.handler()));
      int port = system.process().coapPort();
      try (CoapPeer greedy = new CoapPeer("127.0.0.2", port);
          CoapPeer other = new CoapPeer("127.0.0.3", port)) {
        int asked = 0;
        while (!askForMore(greedy, asked)) {
          asked += AT_A_TIME;
          assertThat(asked).as("it gets all that one address may have").isLessThan(MAX_IN_FLIGHT);
        }
        eventually().until(() -> held.size() == SHARED);
        for (int newcomer = 0; newcomer < RUNNING - SHARED; newcomer++) {
          try (CoapPeer peer = new CoapPeer("127.0.1." + (1 + newcomer), port)) {
            peer.ask(Datagram.request(CON, GET, 1, "f"));
          }
        }
        eventually().until(() -> held.size() == RUNNING);

        assertThat(other.ask(Datagram.request(CON, GET, 1, "f", "other")).head())
            .as("it waits")
            .isEqualTo("ACK 0.00");
        held.get(0).response().end();
        held.get(1).response().end();
        eventually().until(() -> held.size() == RUNNING + 1);
        assertThat(held.getLast().getHeader("X-tinyFaaS-Path"))
            .as("none of those that have waited longer comes first")
            .isEqualTo("/other");
        held.getLast().response().end("at last");
        Datagram answer = other.next();
        assertThat(answer.head() + " " + answer.text()).isEqualTo("CON 2.05 at last");
      }
    }
  }

  @Test
  void shouldHaveAConnectionLeftForAnotherAddress() throws IOException {
    try (ServedGateway system =
        new ServedGateway(folder, Map.of("TINYFAAS_COAP_ACK_DELAY", "1ms"), this::function)) {
      system.serve(PlayedManager.route("f", FUNCTION_TIMEOUT_MILLIS, system.handler()));
      int port = system.process().coapPort();
      try (CoapPeer greedy = new CoapPeer("127.0.0.2", port);
          CoapPeer other = new CoapPeer("127.0.0.3", port)) {
        for (int asked = 0; asked < 3 * AT_A_TIME; asked += AT_A_TIME) {
          assertThat(askForMore(greedy, asked)).as("refused").isFalse();
        }
        eventually().until(() -> held.size() == SHARED);

        other.ask(Datagram.request(CON, GET, 1, "f", "other"));
        eventually().until(() -> held.size() == SHARED + 1);
        assertThat(held.getLast().getHeader("X-tinyFaaS-Path")).isEqualTo("/other");
        held.getLast().response().end("at once");
        Datagram answer = other.next();
        assertThat(answer.head() + " " + answer.text()).isEqualTo("CON 2.05 at once");
      }
    }
  }

  @Test
  void shouldBoundWhatRunsOfOneAddressByWhateverProtocols() throws IOException {
    Map<String, String> environment =
        Map.of("TINYFAAS_COAP_ACK_DELAY", "1ms", "TINYFAAS_MAX_IN_FLIGHT_PER_PEER", "2");
    String get = "GET /f/http HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    try (ServedGateway system = new ServedGateway(folder, environment, this::function)) {
      system.serve(PlayedManager.route("f", FUNCTION_TIMEOUT_MILLIS, system.handler()));
      int http = system.process().httpPort();
      int coap = system.process().coapPort();
      try (RawHttp first = new RawHttp(http);
          RawHttp second = new RawHttp(http);
          RawHttp third = new RawHttp(http);
          GrpcCalls grpc = new GrpcCalls(system.process().grpcPort());
          CoapPeer same = new CoapPeer("127.0.0.1", coap);
          CoapPeer other = new CoapPeer("127.0.0.3", coap)) {
        first.send(get);
        second.send(get);
        eventually().until(() -> held.size() == 2);

        assertThat(third.send(get).readAll())
            .startsWith("HTTP/1.1 429")
            .contains("retry-after: 1", "too-many-of-address");
        assertThat(grpc.failure("f", "x").getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(same.ask(Datagram.request(CON, GET, 1, "f")).head()).isEqualTo("ACK 4.29");
        other.ask(Datagram.request(CON, GET, 1, "f"));
        eventually().until(() -> held.size() == 3);

        held.forEach(request -> request.response().end("done"));
        assertThat(first.readAll()).startsWith("HTTP/1.1 200");
        assertThat(second.readAll()).startsWith("HTTP/1.1 200");
      }
    }
  }

  /**
   * Some requests, which the gateway has when this returns.
   *
   * @return whether one of them was refused
   */
  private static boolean askForMore(CoapPeer greedy, int firstMid) throws IOException {
    Set<Integer> unheard = new HashSet<>();
    for (int mid = firstMid; mid < firstMid + AT_A_TIME; mid++) {
      greedy.send(Datagram.request(CON, GET, mid, "f"));
      unheard.add(mid);
    }
    boolean refused = false;
    while (!unheard.isEmpty()) {
      Datagram acknowledgement =
          greedy
              .receive((int) patient(ANSWER).toMillis())
              .map(Datagram::parse)
              .orElseThrow(() -> new AssertionError("not acknowledged: " + unheard));
      unheard.remove(acknowledgement.mid());
      refused |= acknowledgement.head().equals("ACK 4.29");
    }
    return refused;
  }
}
