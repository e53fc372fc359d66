package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.eclipse.californium.core.CoapResponse;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What devices may take of the packaged gateway by CoAP: invocations, and memory for blocks. */
@Tag("slow")
class CoapLimitsIT {

  private static final long FUNCTION_TIMEOUT = patient(Duration.ofMinutes(1)).toMillis();

  @TempDir Path folder;

  @Test
  void shouldBoundWhatRunsAtOnce() throws IOException {
    List<HttpServerResponse> held = new CopyOnWriteArrayList<>();
    Map<String, String> bounds =
        Map.of("TINYFAAS_MAX_IN_FLIGHT", "3", "TINYFAAS_MAX_IN_FLIGHT_PER_FUNCTION", "2");
    try (ServedGateway system =
            new ServedGateway(folder, bounds, (request, body) -> held.add(request.response()));
        CoapPeer peer = new CoapPeer(system.process().coapPort())) {
      GatewayProcess gateway = system.process();
      system.serve(
          PlayedManager.route("f", FUNCTION_TIMEOUT, system.handler()),
          PlayedManager.route("g", FUNCTION_TIMEOUT, system.handler()));
      peer.send(CoapPeer.request("NON", 1, 1, "f"));
      peer.send(CoapPeer.request("NON", 1, 2, "f"));
      eventually().until(() -> held.size() == 2);
      CoapResponse refused = AskingDevice.get(gateway, "f");
      assertThat(refused.getCode().text).isEqualTo("5.03");
      assertThat(refused.getOptions().getMaxAge()).isEqualTo(1);
      peer.send(CoapPeer.request("NON", 1, 3, "g"));
      eventually().until(() -> held.size() == 3);
      assertThat(AskingDevice.get(gateway, "g").getCode().text).isEqualTo("5.03");
      held.forEach(response -> response.end("x"));
      for (int i = 0; i < 3; i++) {
        assertThat(peer.next().head()).isEqualTo("NON 2.05");
      }
      eventually()
          .untilAsserted(
              () ->
                  assertThat(gateway.get("/q/metrics").body())
                      .contains("tinyfaas_in_flight 0.0\n")
                      .contains("outcome=\"overloaded\""));
    }
  }

  /** Each first block alone would make Californium allocate 1 MiB. */
  @Test
  void shouldSurviveUploadsThatAreNeverFinished() throws IOException {
    try (ServedGateway system =
        new ServedGateway(folder, Map.of(), (request, body) -> request.response().end("f"))) {
      system.serve(PlayedManager.route("f", FUNCTION_TIMEOUT, system.handler()));
      int port = system.process().coapPort();
      byte[] firstBlock = new byte[4 + 1_024];
      firstBlock[0] = (byte) 0xd1; // Block1 (27), 16 on from Uri-Path
      firstBlock[1] = 16 - 13;
      firstBlock[2] = 0x0e; // number 0, more to come, 1,024 bytes
      firstBlock[3] = (byte) 0xff;
      Map<String, Integer> answers = new TreeMap<>();
      for (int i = 0; i < 200; i++) {
        try (CoapPeer peer = new CoapPeer(port)) {
          byte[] request = CoapPeer.request("CON", 2, i, "f", firstBlock);
          answers.merge(peer.answer(request).head(), 1, Integer::sum);
        }
      }
      assertThat(answers).containsOnlyKeys("ACK 2.31", "ACK 5.03");
      assertThat(answers.get("ACK 2.31")).as("as many as one address may have").isEqualTo(64);
      try (CoapPeer peer = new CoapPeer(port)) {
        firstBlock[2] = 0x1e;
        assertThat(peer.answer(CoapPeer.request("CON", 2, 1, "f", firstBlock)).head())
            .as("a second block without a first")
            .isEqualTo("ACK 4.08");
      }
    }
  }

  @Test
  void shouldSurviveDownloadsThatAreNeverFinished() throws IOException {
    try (ServedGateway system =
        new ServedGateway(
            folder,
            Map.of(),
            (request, body) -> request.response().end(Buffer.buffer(new byte[1 << 20])))) {
      system.serve(PlayedManager.route("f", FUNCTION_TIMEOUT, system.handler()));
      int port = system.process().coapPort();
      Map<String, Integer> answers = new TreeMap<>();
      for (int i = 0; i < 200; i++) {
        try (CoapPeer peer = new CoapPeer(port)) {
          byte[] request = CoapPeer.request("CON", 1, i, "f");
          answers.merge(peer.answer(request).head(), 1, Integer::sum);
        }
      }
      assertThat(answers).containsOnlyKeys("ACK 2.05", "ACK 5.03");
      assertThat(answers.get("ACK 2.05")).isBetween(4, 32);
    }
  }
}
