package io.tinyfaas.gateway.ingress.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.mqtt.MqttMessageType;
import io.tinyfaas.gateway.ingress.mqtt.PacketSizes.Frame;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PacketSizesTest {

  private final PacketSizes sizes = new PacketSizes(1_000);

  private static ByteBuf bytes(String hex) {
    return Unpooled.wrappedBuffer(HexFormat.of().parseHex(hex));
  }

  private static int reason(Frame frame) {
    return ((Frame.Refused) frame).rule().reasonCode();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "10", "1080", "1003aabb"})
  void shouldWaitForTheRestOfAPacket(String hex) {
    assertThat(sizes.of(bytes(hex))).isInstanceOf(Frame.Incomplete.class);
  }

  @Test
  void shouldTakeNothingButConnectBeforeTheLogin() {
    assertThat(sizes.of(bytes("1001aa"))).isEqualTo(new Frame.Whole(3, MqttMessageType.CONNECT));
    assertThat(reason(sizes.of(bytes("c000")))).isEqualTo(ReasonCode.PROTOCOL_ERROR);
    sizes.loggedIn(true);
    assertThat(reason(sizes.of(bytes("1001aa")))).isEqualTo(ReasonCode.PROTOCOL_ERROR);
    assertThat(sizes.of(bytes("c000c000"))).isEqualTo(new Frame.Whole(2, MqttMessageType.PINGREQ));
  }

  @ParameterizedTest
  @ValueSource(strings = {"00", "20", "90", "b0", "d0", "f0"})
  void shouldRefuseWhatOnlyAServerSends(String hex) {
    sizes.loggedIn(true);
    assertThat(reason(sizes.of(bytes(hex + "00")))).isEqualTo(ReasonCode.PROTOCOL_ERROR);
  }

  @ParameterizedTest
  @CsvSource({
    "30ffffffff01, 0x81", // more than four bytes of length
    "30ffffff7f, 0x95", // 256 MB
    "c00100, 0x81", // PINGREQ with something
    "40812000, 0x95", // PUBACK of 4,097 bytes
  })
  void shouldRefuseAPacketByItsHeaderAlone(String hex, String reason) {
    sizes.loggedIn(true);
    assertThat(reason(sizes.of(bytes(hex)))).isEqualTo(Integer.decode(reason));
  }

  /** Before they are there: each of them is many times its bytes in objects. */
  @Test
  void shouldRefuseAMessageWithTooManyProperties() {
    sizes.loggedIn(true);
    assertThat(reason(sizes.of(bytes("30904e" + "000161" + "814001"))))
        .isEqualTo(ReasonCode.PACKET_TOO_LARGE);
    sizes.loggedIn(false);
    assertThat(sizes.of(bytes("30904e" + "000161" + "814001")))
        .isInstanceOf(Frame.Incomplete.class);
  }

  @Test
  void shouldKnowWhereABodyBegins() {
    assertThat(PacketSizes.bodyOfPublish(bytes("3204" + "0000" + "0001"), false)).isEqualTo(6);
    assertThat(PacketSizes.bodyOfPublish(bytes("3008" + "000161" + "020101" + "ffff"), true))
        .isEqualTo(8);
    String properties = "26" + "003c" + "6b".repeat(60) + "003d" + "76".repeat(61) + "0101";
    ByteBuf packet = bytes("30" + "8901" + "000161" + "8001" + properties + "ffff");
    assertThat(PacketSizes.bodyOfPublish(packet, true)).isEqualTo(packet.writerIndex() - 2);
  }

  @Test
  void shouldKnowTheIdentifierOfAPacket() {
    assertThat(PacketSizes.identifier(bytes("62020102"))).isEqualTo(0x102);
    assertThat(PacketSizes.identifier(bytes("620101"))).isZero();
  }
}
