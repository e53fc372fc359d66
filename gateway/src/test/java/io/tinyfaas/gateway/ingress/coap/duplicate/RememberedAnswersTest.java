package io.tinyfaas.gateway.ingress.coap.duplicate;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RememberedAnswersTest {

  /** A port, from which on an address is not proved. */
  private static final int FIRST_INVENTED = 20_000;

  private final RememberedAnswers answers =
      new RememberedAnswers(64, peer -> peer.getPort() < FIRST_INVENTED);
  private long nanos = TimeUnit.HOURS.toNanos(100);

  private static InetSocketAddress peer(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  private int add(int port, int mid) {
    return answers.add(peer(port), mid, nanos);
  }

  private int find(int port, int mid) {
    return answers.find(peer(port), mid, nanos);
  }

  private void put(int slot, String hex) {
    byte[] answer = ByteBufUtil.decodeHexDump(hex);
    answers.put(slot, answers.serial(slot), answer, answer.length);
  }

  private String answer(int slot) {
    ByteBuf copy = Unpooled.buffer();
    answers.copy(slot, copy);
    return ByteBufUtil.hexDump(copy);
  }

  @Test
  void shouldGiveEachMessageItsOwnAnswer() {
    put(add(1, 7), "0102");
    put(add(2, 7), "030405");
    put(add(1, 8), "06");
    assertThat(answer(find(1, 7))).isEqualTo("0102");
    assertThat(answer(find(2, 7))).isEqualTo("030405");
    assertThat(answer(find(1, 8))).isEqualTo("06");
    assertThat(find(2, 8)).isEqualTo(RememberedAnswers.NONE);
    assertThat(find(3, 7)).isEqualTo(RememberedAnswers.NONE);
  }

  @Test
  void shouldTellWhatIsRunningAndWhatIsElsewhere() {
    int slot = add(1, 7);
    assertThat(answers.length(slot)).isZero();
    assertThat(answers.isElsewhere(slot)).isFalse();
    answers.putElsewhere(slot, answers.serial(slot));
    assertThat(answers.isElsewhere(find(1, 7))).isTrue();
  }

  @Test
  void shouldRememberTheLastEightOfADevice() {
    for (int mid = 0; mid < 20; mid++) {
      put(add(1, mid), "%02x".formatted(mid));
    }
    assertThat(answers.size()).isEqualTo(8);
    assertThat(find(1, 11)).isEqualTo(RememberedAnswers.NONE);
    assertThat(answer(find(1, 12))).isEqualTo("0c");
    assertThat(answer(find(1, 19))).isEqualTo("13");
  }

  @Test
  void shouldRememberNoFewerOfADeviceBecauseAnotherAddressHasManyPorts() {
    InetSocketAddress device = new InetSocketAddress("192.0.2.77", 1);
    for (int mid = 0; mid < 8; mid++) {
      answers.add(device, mid, nanos);
      for (int port = 1; port <= 40; port++) {
        add(port, mid);
      }
    }
    for (int mid = 0; mid < 8; mid++) {
      assertThat(answers.find(device, mid, nanos)).isNotEqualTo(RememberedAnswers.NONE);
    }
  }

  @Test
  void shouldNotWriteAnAnswerIntoAnothersPlace() {
    int slot = add(1, 0);
    int serial = answers.serial(slot);
    for (int mid = 1; mid <= 64; mid++) {
      put(add(1, mid), "aa");
    }
    answers.put(slot, serial, new byte[] {1}, 1);
    answers.putElsewhere(slot, serial);
    for (int mid = 57; mid <= 64; mid++) {
      assertThat(answer(find(1, mid))).isEqualTo("aa");
    }
  }

  @Test
  void shouldRememberFewerOfEachWhenThereAreManyDevices() {
    for (int round = 0; round < 20; round++) {
      for (int port = 1; port <= 32; port++) {
        add(port, round);
      }
    }
    assertThat(answers.size()).isEqualTo(64);
    for (int port = 1; port <= 32; port++) {
      assertThat(find(port, 19)).isNotEqualTo(RememberedAnswers.NONE);
      assertThat(find(port, 18)).isNotEqualTo(RememberedAnswers.NONE);
    }
  }

  @Test
  void shouldForgetTheDeviceSilentForLongestWhenThereAreTooMany() {
    for (int port = 1; port <= 1_000; port++) {
      put(add(port, 1), "01");
    }
    assertThat(answers.size()).isEqualTo(64);
    assertThat(find(1, 1)).isEqualTo(RememberedAnswers.NONE);
    assertThat(answer(find(1_000, 1))).isEqualTo("01");
  }

  /** Else one machine with ever other ports would leave the others less and less. */
  @Test
  void shouldCountNoDeviceOfWhichNothingIsRemembered() {
    for (int port = 1; port <= 32; port++) {
      add(port, 7);
    }
    nanos += TimeUnit.SECONDS.toNanos(248);
    assertThat(find(1, 8)).isEqualTo(RememberedAnswers.NONE);
    assertThat(answers.devices()).isEqualTo(31);

    for (int mid = 0; mid < 8; mid++) {
      add(40, mid);
    }

    assertThat(answers.devices()).isEqualTo(1);
    assertThat(answers.size()).isEqualTo(8);
  }

  @Test
  void shouldForgetNothingOfWhoIsProvedForWhoMayBeInvented() {
    for (int mid = 0; mid < 8; mid++) {
      put(add(1, mid), "01");
    }
    for (int i = 0; i < 1_000; i++) {
      InetSocketAddress invented =
          new InetSocketAddress("10.0.%d.%d".formatted(i / 256, i % 256), FIRST_INVENTED);
      answers.add(invented, 1, nanos);
      assertThat(answers.find(invented, 1, nanos)).isNotEqualTo(RememberedAnswers.NONE);
    }
    for (int mid = 0; mid < 8; mid++) {
      assertThat(answer(find(1, mid))).isEqualTo("01");
    }
  }

  @Test
  void shouldForgetWhatMayMeanAnotherMessageByNow() {
    add(1, 7);
    nanos += TimeUnit.SECONDS.toNanos(247);
    assertThat(find(1, 7)).isNotEqualTo(RememberedAnswers.NONE);
    nanos += TimeUnit.SECONDS.toNanos(1);
    assertThat(find(1, 7)).isEqualTo(RememberedAnswers.NONE);
    assertThat(answers.size()).isZero();
    assertThat(add(1, 8)).isNotEqualTo(RememberedAnswers.NONE);
    assertThat(find(1, 8)).isNotEqualTo(RememberedAnswers.NONE);
  }
}
