package io.tinyfaas.gateway.ingress.coap.duplicate;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SpentMessagesTest {

  private static final int IDS = 1 << 16;

  private final SpentMessages messages =
      new SpentMessages(1_000, peer -> !peer.toString().startsWith("invented"));
  private long nanos = TimeUnit.HOURS.toNanos(100);

  private boolean add(String peer, int mid) {
    return add(peer, mid, mid);
  }

  private boolean add(String peer, int mid, int token) {
    byte[] message = ByteBuffer.allocate(8).putInt(0x44010000 | mid).putInt(token).array();
    return messages.add(peer, mid, message, nanos);
  }

  private void sleep(int seconds) {
    nanos += TimeUnit.SECONDS.toNanos(seconds);
  }

  @Test
  void shouldKnowEachMessageForItsLifetime() {
    for (int mid = 0; mid < 247; mid++) {
      assertThat(add("a", mid * 265 % IDS)).isFalse();
      sleep(1);
    }
    assertThat(add("a", 0)).as("247 s ago").isTrue();
    for (int mid = 1; mid < 247; mid++) {
      assertThat(add("a", mid * 265 % IDS)).isTrue();
    }
    sleep(248);
    assertThat(add("a", 0)).isFalse();
  }

  @Test
  void shouldTellDevicesAndMessagesApart() {
    assertThat(add("a", 1)).isFalse();
    assertThat(add("b", 1)).isFalse();
    assertThat(add("a", 1, 99)).as("another message by the same ID").isFalse();
    assertThat(add("a", 1, 99)).isTrue();
  }

  @Test
  void shouldKnowTheLast16384OfADeviceThatCounts() {
    for (int mid = 0; mid < IDS; mid++) {
      assertThat(add("a", mid)).isFalse();
    }
    assertThat(messages.pages()).isEqualTo(SpentMessages.MAX_PAGES_OF_DEVICE);
    assertThat(add("a", IDS - 1)).isTrue();
    assertThat(add("a", IDS - 16_384)).isTrue();
    assertThat(add("a", 0)).as("used again too early, and long forgotten").isFalse();
  }

  @Test
  void shouldForgetTheDeviceSilentForLongestWhenThereAreTooMany() {
    for (int device = 0; device < 1_000; device++) {
      add("d" + device, 1);
    }
    assertThat(add("d0", 1)).isTrue();
    add("one more", 1);
    assertThat(messages.pages()).isEqualTo(1_000);
    assertThat(add("d0", 1)).isTrue();
    assertThat(add("d1", 1)).isFalse();
  }

  @Test
  void shouldForgetNothingOfWhoIsProvedForWhoMayBeInvented() {
    for (int mid = 0; mid < 64; mid++) {
      assertThat(add("device", mid)).isFalse();
    }
    for (int peer = 0; peer < 10_000; peer++) {
      add("invented" + peer, 1);
    }
    assertThat(add("device", 0)).isTrue();
  }

  @Test
  void shouldGiveBackPagesThatAreTooOld() {
    for (int mid = 0; mid < 640; mid++) {
      add("a", mid);
    }
    sleep(300);
    add("a", 6_400);
    assertThat(messages.pages()).isEqualTo(1);
  }

  @Test
  void shouldForgetItsOwnOldestIfOneDeviceFillsAll() {
    SpentMessages few = new SpentMessages(2, peer -> true);
    for (int mid = 0; mid < 1_000; mid++) {
      few.add("a", mid, new byte[] {1}, nanos);
    }
    assertThat(few.pages()).isLessThanOrEqualTo(2);
    assertThat(few.add("a", 999, new byte[] {1}, nanos)).isTrue();
  }
}
