package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.DtlsGateway.KEY;
import static io.tinyfaas.gateway.DtlsGateway.OTHER_KEY;
import static io.tinyfaas.gateway.DtlsGateway.refused;
import static io.tinyfaas.gateway.DtlsGateway.withKey;
import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices by DTLS whose address changes (RFC 9146). */
@Tag("slow")
class DtlsMovingIT {

  @TempDir static Path folder;
  private static DtlsGateway gateway;

  @BeforeAll
  static void start() throws IOException {
    gateway = new DtlsGateway(folder);
  }

  @BeforeEach
  void registerAll() {
    gateway.register();
  }

  @AfterAll
  static void stop() {
    gateway.close();
  }

  @Test
  void shouldKeepTheSessionOfADeviceWhoseAddressChanges() {
    try (UdpRelay relay = new UdpRelay(gateway.port(), number -> false);
        DtlsDevice button = gateway.device("button", KEY)) {
      button.asks(relay.port());
      assertThat(button.get("any")).endsWith("port " + relay.outsidePort());
      long handshakes = button.handshakes();
      relay.rebind();
      assertThat(button.get("any")).endsWith("port " + relay.outsidePort());
      assertThat(button.handshakes()).isEqualTo(handshakes);
    }
  }

  @Test
  void shouldGoOnWithALargeBodyFromAnotherAddress() {
    AtomicReference<UdpRelay> moving = new AtomicReference<>();
    try (UdpRelay relay = new UdpRelay(gateway.port(), number -> movesAt(number, moving));
        DtlsDevice button = gateway.device("button", KEY)) {
      moving.set(relay);
      button.asks(relay.port());
      int before = relay.outsidePort();
      Request upload = new Request(Code.POST);
      upload.setPayload(new byte[20_000]);
      assertThat(button.ask(upload, "locked")).startsWith("2.04 button by coaps, 20000 bytes");
      assertThat(relay.outsidePort()).isNotEqualTo(before);
      assertThat(button.handshakes()).isEqualTo(1);
    }
  }

  /** Amid the blocks. */
  private static boolean movesAt(int datagram, AtomicReference<UdpRelay> relay) {
    if (datagram == 30) {
      relay.get().rebind();
    }
    return false;
  }

  @Test
  void shouldAnswerADeviceWhereItHasMovedMeanwhile() {
    try (UdpRelay relay = new UdpRelay(gateway.port(), number -> false);
        DtlsDevice button = gateway.device("button", KEY)) {
      button.asks(relay.port());
      int runs = gateway.runs();
      gateway.held().hold();
      CompletableFuture<String> slow = CompletableFuture.supplyAsync(() -> button.get("any/held"));
      gateway.held().await(1);
      relay.rebind();
      assertThat(button.get("any")).endsWith("port " + relay.outsidePort());
      gateway.held().release();
      assertThat(slow).succeedsWithin(patient(Duration.ofMinutes(1))).isEqualTo("2.05 late");
      assertThat(gateway.runs()).isEqualTo(runs + 2);
    }
  }

  @Test
  void shouldTellAnObserverWhereItHasMovedUntilItIsRevoked() {
    gateway.register(withKey("other", OTHER_KEY));
    try (UdpRelay relay = new UdpRelay(gateway.port(), number -> false);
        DtlsDevice button = gateway.device("button", KEY);
        DtlsDevice other = gateway.device("other", OTHER_KEY)) {
      button.asks(relay.port());
      List<String> told = button.observe("watched");
      eventually().until(() -> told.size() == 1);
      assertThat(told.getFirst()).startsWith("button by coaps");
      relay.rebind();
      assertThat(button.get("any")).endsWith("port " + relay.outsidePort());

      Request upload = new Request(Code.POST);
      upload.setPayload("x");
      assertThat(other.ask(upload, "watched")).startsWith("2.04 other by coaps, 1 bytes");
      eventually().until(() -> told.size() == 2);
      assertThat(told.getLast()).startsWith("other by coaps, 1 bytes");
      assertThat(gateway.process().get("/q/metrics").body()).contains("tinyfaas_observers 1.0");

      gateway.registerOnly(withKey("other", OTHER_KEY));
      eventually()
          .untilAsserted(
              () ->
                  assertThat(gateway.process().get("/q/metrics").body())
                      .contains("tinyfaas_observers 0.0"));
    }
  }

  @Test
  void shouldNotKnowADeviceWithoutConnectionIdAtAnotherAddress() {
    try (UdpRelay relay = new UdpRelay(gateway.port(), number -> false);
        DtlsDevice button =
            DtlsDevice.withKey(
                gateway.port(),
                "button",
                KEY.getBytes(UTF_8),
                DtlsDevice.settings().set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, null))) {
      button.asks(relay.port());
      assertThat(button.get("any")).startsWith("2.05 button");
      relay.rebind();
      assertThat(refused(button)).isTrue();
    }
  }
}
