package io.tinyfaas.gateway.ingress.coap.duplicate;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.network.Exchange;
import org.eclipse.californium.core.network.Exchange.Origin;
import org.eclipse.californium.core.network.KeyMID;
import org.junit.jupiter.api.Test;

class BoundedDeduplicatorTest {

  private long nanos = TimeUnit.HOURS.toNanos(100);
  private final BoundedDeduplicator deduplicator =
      new BoundedDeduplicator(64, peer -> !peer.toString().startsWith("invented"), () -> nanos);

  private static Exchange exchange(String peer) {
    return new Exchange(new Request(Code.GET), peer, Origin.REMOTE, Runnable::run);
  }

  private Exchange add(String peer, int mid) {
    Exchange exchange = exchange(peer);
    assertThat(deduplicator.findPrevious(new KeyMID(mid, peer), exchange)).isNull();
    return exchange;
  }

  private Exchange find(String peer, int mid) {
    return deduplicator.find(new KeyMID(mid, peer));
  }

  @Test
  void shouldFindWhatCameBefore() {
    Exchange first = add("a", 1);
    assertThat(deduplicator.findPrevious(new KeyMID(1, "a"), exchange("a"))).isSameAs(first);
    assertThat(find("a", 2)).isNull();
    assertThat(find("b", 1)).isNull();
  }

  @Test
  void shouldRememberTheLastEightOfAPeer() {
    for (int mid = 0; mid < 20; mid++) {
      add("a", mid);
    }
    assertThat(deduplicator.size()).isEqualTo(8);
    assertThat(find("a", 11)).isNull();
    assertThat(find("a", 12)).isNotNull();
    assertThat(find("a", 19)).isNotNull();
  }

  @Test
  void shouldRememberFewerOfEachWhenThereAreManyPeers() {
    for (int round = 0; round < 20; round++) {
      for (int peer = 0; peer < 32; peer++) {
        add("peer" + peer, round);
      }
    }
    assertThat(deduplicator.size()).isLessThanOrEqualTo(64);
    for (int peer = 0; peer < 32; peer++) {
      assertThat(find("peer" + peer, 19)).isNotNull();
      assertThat(find("peer" + peer, 18)).isNotNull();
    }
  }

  @Test
  void shouldRememberNoFewerOfAPeerBecauseAnotherAddressHasManyPorts() {
    InetSocketAddress device = new InetSocketAddress("192.0.2.1", 1);
    for (int mid = 0; mid < 8; mid++) {
      deduplicator.findPrevious(new KeyMID(mid, device), exchange("a"));
      for (int port = 1; port <= 40; port++) {
        InetSocketAddress many = new InetSocketAddress("192.0.2.2", port);
        deduplicator.findPrevious(new KeyMID(mid, many), exchange("a"));
      }
    }
    for (int mid = 0; mid < 8; mid++) {
      assertThat(deduplicator.find(new KeyMID(mid, device))).isNotNull();
    }
  }

  @Test
  void shouldForgetThePeerSilentForLongestWhenThereAreTooMany() {
    for (int peer = 0; peer < 1_000; peer++) {
      add("peer" + peer, 1);
    }
    assertThat(deduplicator.size()).isEqualTo(64);
    assertThat(find("peer0", 1)).isNull();
    assertThat(find("peer999", 1)).isNotNull();
  }

  @Test
  void shouldForgetNothingOfWhoIsProvedForWhoMayBeInvented() {
    for (int mid = 0; mid < 8; mid++) {
      add("device", mid);
    }
    for (int peer = 0; peer < 1_000; peer++) {
      add("invented" + peer, 1);
      assertThat(find("invented" + peer, 1)).isNotNull();
    }
    for (int mid = 0; mid < 8; mid++) {
      assertThat(find("device", mid)).isNotNull();
    }
  }

  @Test
  void shouldForgetWhatMayMeanAnotherMessageByNow() {
    add("a", 1);
    nanos += TimeUnit.SECONDS.toNanos(247);
    assertThat(find("a", 1)).isNotNull();
    nanos += TimeUnit.SECONDS.toNanos(1);
    assertThat(find("a", 1)).isNull();
    assertThat(deduplicator.isEmpty()).isTrue();
  }

  /** Else one machine with ever other ports would leave the others less and less. */
  @Test
  void shouldCountNoPeerOfWhichNothingIsRemembered() {
    for (int peer = 0; peer < 32; peer++) {
      add("peer" + peer, 7);
    }
    nanos += TimeUnit.SECONDS.toNanos(248);
    assertThat(find("peer0", 8)).isNull();
    assertThat(deduplicator.peers()).isEqualTo(31);

    for (int mid = 0; mid < 8; mid++) {
      add("late", mid);
    }

    assertThat(deduplicator.peers()).isEqualTo(1);
    assertThat(deduplicator.size()).isEqualTo(8);
  }

  @Test
  void shouldReplaceOnlyTheExchangeThatIsMeant() {
    Exchange first = add("a", 1);
    Exchange second = exchange("a");
    assertThat(deduplicator.replacePrevious(new KeyMID(1, "a"), exchange("a"), second)).isFalse();
    assertThat(deduplicator.replacePrevious(new KeyMID(1, "a"), first, second)).isTrue();
    assertThat(find("a", 1)).isSameAs(second);
    assertThat(deduplicator.replacePrevious(new KeyMID(2, "b"), first, second)).isTrue();
    assertThat(find("b", 2)).isSameAs(second);
    assertThat(deduplicator.size()).isEqualTo(2);
    deduplicator.clear();
    assertThat(deduplicator.isEmpty()).isTrue();
  }
}
