package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.Datagram.CON;
import static io.tinyfaas.gateway.Datagram.GET;
import static io.tinyfaas.gateway.Datagram.MAX_AGE;
import static io.tinyfaas.gateway.ObservingDevice.observe;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.Status.Code;
import io.tinyfaas.harness.Eventually;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Response;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who waits for something of a gateway that is stopped is told so. */
class StoppedGatewayIT {

  private static final long LONG = Eventually.patient(Duration.ofMinutes(5)).toMillis();

  @TempDir Path folder;

  @Test
  @DisplayName("RFC 7641 4.2: an observer is told that it has to register again")
  void shouldTellObservers() throws IOException {
    try (ServedGateway system =
        new ServedGateway(
            folder,
            Map.of("TINYFAAS_COAP_TRUSTED_NETWORKS", "127.0.0.1/32"),
            (request, body) -> request.response().end("off"))) {
      GatewayProcess gateway = system.process();
      system.serve(PlayedManager.route("f", LONG, ObservedGateway.OBSERVABLE, system.handler()));
      try (ObservingDevice lamp = new ObservingDevice(gateway.coapPort());
          ObservingDevice other = new ObservingDevice(gateway.coapPort())) {
        assertThat(lamp.ask(observe(Type.CON, 7, "f")).getOptions().hasObserve()).isTrue();
        assertThat(other.ask(observe(Type.NON, 8, "f")).getOptions().hasObserve()).isTrue();
        gateway.terminate();
        for (ObservingDevice device : new ObservingDevice[] {lamp, other}) {
          Response last = device.confirmed();
          assertThat(last.getCode()).isEqualTo(ResponseCode.SERVICE_UNAVAILABLE);
          assertThat(last.getOptions().hasObserve()).isFalse();
          assertThat(last.getOptions().getMaxAge()).isBetween(3L, 9L);
        }
      }
      assertThat(gateway.awaitExit()).isEqualTo(143);
    }
  }

  @Test
  void shouldTellThoseWhoseFunctionsTakeTooLong() throws Exception {
    HeldFunction held = new HeldFunction();
    try (ServedGateway system =
        new ServedGateway(folder, Map.of("TINYFAAS_STOP_TIMEOUT", "1s"), held::answer)) {
      GatewayProcess gateway = system.process();
      system.serve(PlayedManager.route("f", LONG, system.handler()));
      try (RawHttp http = new RawHttp(gateway.httpPort());
          GrpcCalls grpc = new GrpcCalls(gateway.grpcPort());
          CoapPeer coap = new CoapPeer(gateway.coapPort())) {
        http.send("GET /f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        CompletableFuture<Status> call =
            CompletableFuture.supplyAsync(() -> grpc.failure("f", "x"));
        coap.send(Datagram.request(CON, GET, 1, "f"));
        held.await(3);
        gateway.terminate();

        Datagram answer = coap.next();
        while (answer.code() == 0) {
          answer = coap.next(); // the acknowledgement, a ping
        }
        assertThat(answer.head()).endsWith(" 5.03");
        assertThat(answer.number(MAX_AGE)).isPresent();
        assertThat(http.readAll())
            .startsWith("HTTP/1.1 503")
            .contains("urn:tinyfaas:problem:stopping");
        assertThat(call.get().getCode()).isEqualTo(Code.UNAVAILABLE);
        assertThat(call.get().getDescription()).isEqualTo("the gateway is stopping");
      }
      assertThat(gateway.awaitExit()).isEqualTo(143);
      assertThat(gateway.log()).anyMatch(line -> line.contains("event=stopped unfinished=3"));
    }
  }
}
