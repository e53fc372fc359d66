package io.tinyfaas.gateway.ingress.coap;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.ingress.coap.Transfers.Key;
import io.tinyfaas.gateway.invoke.BodyMemory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.network.stack.KeyUri;
import org.eclipse.californium.elements.EndpointContext;
import org.junit.jupiter.api.Test;

class TransfersTest {

  private static final int MEMORY = 4_000;
  private static final int MAX_BODY = 1_000;
  private static final int MAX_COUNT = 1_024;

  private final BodyMemory memory = new BodyMemory(MEMORY);
  private final Peers peers = new Peers(List.of("10.0.0.0/8"), 1);
  private final Transfers transfers =
      new Transfers(memory, peers, MAX_BODY, 1_024, () -> this.nanos);
  private long nanos = 1;

  private EndpointContext peer(String address) {
    InetSocketAddress socket = new InetSocketAddress(InetAddress.ofLiteral(address), 1);
    return new PeerContext(new Sender(socket, peers.at(socket), null), null);
  }

  private boolean begin(String address, String path, int bytes) {
    return transfers.begin(key(address, path), bytes, peer(address));
  }

  private static Key key(String address, String path) {
    return new Key(true, new KeyUri("coap:/" + path, address, Code.PUT));
  }

  private void pass(int seconds) {
    nanos += TimeUnit.SECONDS.toNanos(seconds);
    transfers.expire();
  }

  private boolean isAllGivenBack() {
    boolean free = memory.take(MEMORY);
    if (free) {
      memory.give(MEMORY);
    }
    return free;
  }

  @Test
  void shouldForgetATransferThatPausesForTooLong() {
    begin("10.0.0.1", "a", MAX_BODY);
    pass(100);
    assertThat(transfers.goOn(key("10.0.0.1", "a"))).isTrue();
    pass(100);
    assertThat(isAllGivenBack()).isFalse();
    pass(20);
    assertThat(isAllGivenBack()).isTrue();
    assertThat(transfers.goOn(key("10.0.0.1", "a"))).isFalse();
  }

  @Test
  void shouldEndATransferThatTakesMoreThanAnHour() {
    begin("10.0.0.1", "a", MAX_BODY);
    for (int minute = 0; minute < 60; minute++) {
      pass(60);
      assertThat(transfers.goOn(key("10.0.0.1", "a"))).isTrue();
    }
    pass(60);
    assertThat(transfers.goOn(key("10.0.0.1", "a"))).isFalse();
    assertThat(isAllGivenBack()).isTrue();
  }

  @Test
  void shouldLeaveAQuarterToOthers() {
    assertThat(begin("10.0.0.1", "a", MAX_BODY)).isTrue();
    assertThat(begin("10.0.0.1", "b", MAX_BODY)).isTrue();
    assertThat(begin("10.0.0.1", "c", MAX_BODY)).isTrue();
    assertThat(begin("10.0.0.1", "d", 1)).isFalse();
    assertThat(begin("10.0.0.2", "a", MAX_BODY)).isTrue();
    assertThat(begin("10.0.0.2", "b", 1)).as("all is taken").isFalse();
    transfers.end(key("10.0.0.1", "a"));
    assertThat(begin("10.0.0.1", "d", MAX_BODY)).isTrue();
  }

  @Test
  void shouldGiveAllUnprovedAddressesAQuarterTogether() {
    assertThat(begin("192.0.2.1", "a", MAX_BODY)).isTrue();
    assertThat(begin("192.0.2.2", "a", 1)).isFalse();
    assertThat(begin("10.0.0.1", "a", MAX_BODY)).isTrue();
    transfers.end(key("192.0.2.1", "a"));
    for (int device = 1; device <= 64; device++) {
      assertThat(begin("192.0.2." + device, "a", 1)).isTrue();
    }
    assertThat(begin("192.0.2.65", "a", 1)).isFalse();
  }

  @Test
  void shouldBoundHowManyThereAre() {
    for (int i = 0; i < MAX_COUNT; i++) {
      assertThat(begin("10.0.%d.1".formatted(i / 64), "" + i, 1)).isTrue();
    }
    assertThat(begin("10.1.0.1", "one more", 1)).isFalse();
  }

  @Test
  void shouldCountABodyThatBeginsAgainOnce() {
    for (int i = 0; i < 10; i++) {
      assertThat(begin("10.0.0.1", "a", MAX_BODY)).isTrue();
    }
    transfers.end(key("10.0.0.1", "a"));
    assertThat(isAllGivenBack()).isTrue();
  }
}
