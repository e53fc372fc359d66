package io.tinyfaas.gateway.ingress.coap.dtls;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.eclipse.californium.elements.util.DatagramReader;
import org.eclipse.californium.scandium.dtls.ClientHello;
import org.eclipse.californium.scandium.dtls.DTLSConnectionState;
import org.eclipse.californium.scandium.dtls.Record;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class NamelessHelloTest {

  private static final int MESSAGE_SEQUENCE = 1;
  private static final int SUITE = 0xc0a8;

  /** The extended master secret, which is empty. */
  private static final byte[] ANOTHER = {0, 23, 0, 0};

  /** Server name extensions: what clients make of an address, and what none does. */
  static Stream<byte[]> unreadableNames() {
    return Stream.of(
        named(0, "::1"),
        named(0, "fe80::1"),
        named(0, "my_box"),
        named(0, "box.local."),
        named(0, ""),
        named(0, "b\u00fcro"),
        named(7, "box"),
        new byte[] {0, 0, 0, 3, 0, 9, 0});
  }

  private static byte[] named(int type, String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(9 + bytes.length)
        .putShort((short) 0)
        .putShort((short) (5 + bytes.length))
        .putShort((short) (3 + bytes.length))
        .put((byte) type)
        .putShort((short) bytes.length)
        .put(bytes)
        .array();
  }

  /** A hello with these extensions, as the record that it comes in. */
  private static Record hello(byte[]... extensions) {
    int length = Stream.of(extensions).mapToInt(extension -> extension.length).sum();
    ByteBuffer body = ByteBuffer.allocate(200 + length);
    body.putShort((short) 0xfefd).put(new byte[32]).put((byte) 0);
    body.put((byte) 2).put(new byte[] {8, 9}); // cookie
    body.putShort((short) 2).putShort((short) SUITE).put((byte) 1).put((byte) 0);
    body.putShort((short) length);
    List.of(extensions).forEach(body::put);
    byte[] message = Arrays.copyOf(body.array(), body.position());
    ByteBuffer record = ByteBuffer.allocate(25 + message.length);
    record.put((byte) 22).putShort((short) 0xfefd).putShort((short) 0);
    record.putShort((short) 0).putInt(5).putShort((short) (12 + message.length));
    record.putInt(1 << 24 | message.length).putShort((short) MESSAGE_SEQUENCE);
    record.put((byte) 0).putShort((short) 0).put((byte) 0).putShort((short) message.length);
    record.put(message);
    return record(record.array());
  }

  private static Record record(byte[] bytes) {
    return Record.fromReader(new DatagramReader(bytes, false), null, 17).getFirst();
  }

  @ParameterizedTest
  @MethodSource("unreadableNames")
  void shouldReadAHelloWithoutTheName(byte[] name) throws Exception {
    Record original = hello(name, ANOTHER);
    Record readable = NamelessHello.readable(original);
    readable.decodeFragment(DTLSConnectionState.NULL);

    assertThat(readable.isNewClientHello()).isTrue();
    assertThat(readable.getSequenceNumber()).isEqualTo(original.getSequenceNumber());
    assertThat(readable.getReceiveNanos()).isEqualTo(17);
    ClientHello hello = (ClientHello) readable.getFragment();
    assertThat(hello.getServerNameExtension()).isNull();
    assertThat(hello.hasExtendedMasterSecretExtension()).isTrue();
    assertThat(hello.getCookie()).containsExactly(8, 9);
    assertThat(hello.getMessageSeq()).isEqualTo(MESSAGE_SEQUENCE);
    assertThat(hello.toByteArray())
        .as("what the handshake proves")
        .isEqualTo(original.getFragmentBytes());
  }

  @Test
  void shouldLeaveAllOthers() {
    for (Record original : List.of(hello(ANOTHER), hello(), hello(named(0, "box"), ANOTHER))) {
      assertThat(NamelessHello.readable(original)).isSameAs(original);
    }
  }

  @Test
  void shouldLeaveWhatIsUnreadableForMoreThanTheName() {
    byte[] broken = {0, 10, 0, 1, 9}; // supported groups of a wrong length
    Record original = hello(named(0, "::1"), broken);
    assertThat(NamelessHello.readable(original)).isSameAs(original);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void shouldLeaveWhatIsNoWholeHello(int seed) {
    Random random = new Random(seed);
    byte[] whole = hello(named(0, "::1"), ANOTHER).getFragmentBytes();
    for (int i = 0; i < 2_000; i++) {
      byte[] message = Arrays.copyOf(whole, 1 + random.nextInt(whole.length));
      message[random.nextInt(message.length)] = (byte) random.nextInt();
      ByteBuffer record = ByteBuffer.allocate(13 + message.length);
      record.put((byte) 22).putShort((short) 0xfefd).putShort((short) 0);
      record.putShort((short) 0).putInt(5).putShort((short) message.length).put(message);
      assertThat(NamelessHello.readable(record(record.array()))).isNotNull();
    }
  }
}
