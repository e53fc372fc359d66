package io.tinyfaas.gateway.ingress.coap.dtls;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.eclipse.californium.scandium.dtls.ContentType;
import org.eclipse.californium.scandium.dtls.DTLSConnectionState;
import org.eclipse.californium.scandium.dtls.GenericHandshakeMessage;
import org.eclipse.californium.scandium.dtls.HandshakeException;
import org.eclipse.californium.scandium.dtls.HandshakeMessage;
import org.eclipse.californium.scandium.dtls.HandshakeType;
import org.eclipse.californium.scandium.dtls.Record;

/**
 * A client's hello, read as if it named no server. Clients put into it what the user wrote: an
 * address, a name with an underscore. None of those is a DNS name (RFC 6066, 3), for which Scandium
 * drops the hello, and the gateway has no use for the name. Its bytes stay as they are: the
 * handshake's last messages prove that both sides have seen the same.
 */
final class NamelessHello extends Record {

  private static final int HEADER_BYTES = 12;
  private static final int VERSION_AND_RANDOM_BYTES = 34;
  private static final int SERVER_NAME = 0;

  private final long received;

  private NamelessHello(Record record, HandshakeMessage hello) {
    super(ContentType.HANDSHAKE, record.getVersion(), record.getSequenceNumber(), hello);
    received = record.getReceiveNanos();
  }

  @Override
  public long getReceiveNanos() {
    return received;
  }

  /** It is decoded already. */
  @Override
  public void decodeFragment(DTLSConnectionState state) {}

  /**
   * @param record a client's hello
   * @return the same unless it names a server in a way that Scandium cannot read
   */
  static Record readable(Record record) {
    byte[] message = record.getFragmentBytes();
    Optional<byte[]> nameless = withoutName(message);
    if (nameless.isEmpty()) {
      return record;
    }
    try {
      HandshakeMessage.fromByteArray(message);
      return record;
    } catch (HandshakeException e) {
      return read(message, nameless.get())
          .<Record>map(hello -> new NamelessHello(record, hello))
          .orElse(record);
    }
  }

  private static Optional<HandshakeMessage> read(byte[] message, byte[] body) {
    Original original = new Original(message, body);
    original.setMessageSeq(ByteBuffer.wrap(message).getShort(4) & 0xffff);
    try {
      return Optional.of(HandshakeMessage.fromGenericHandshakeMessage(original, null));
    } catch (HandshakeException e) {
      return Optional.empty(); // it is not for the name alone
    }
  }

  /**
   * The body of a hello without the server's name (RFC 6347, 4.2.1; RFC 5246, 7.4.1.4).
   *
   * @return empty if it names none, or is no whole hello
   */
  private static Optional<byte[]> withoutName(byte[] message) {
    try {
      ByteBuffer hello = ByteBuffer.wrap(message);
      int length = hello.getInt() & 0xff_ffff;
      hello.position(HEADER_BYTES);
      if (length != hello.remaining()) {
        return Optional.empty();
      }
      skip(hello, VERSION_AND_RANDOM_BYTES);
      skip(hello, hello.get() & 0xff); // session
      skip(hello, hello.get() & 0xff); // cookie
      skip(hello, hello.getShort() & 0xffff); // cipher suites
      skip(hello, hello.get() & 0xff); // compression
      int extensions = hello.position();
      ByteBuffer kept = ByteBuffer.allocate(message.length);
      kept.put(message, HEADER_BYTES, extensions - HEADER_BYTES).putShort((short) 0);
      int before = kept.position();
      boolean named = false;
      if (hello.hasRemaining() && (hello.getShort() & 0xffff) != hello.remaining()) {
        return Optional.empty();
      }
      while (hello.hasRemaining()) {
        int from = hello.position();
        int type = hello.getShort() & 0xffff;
        skip(hello, hello.getShort() & 0xffff);
        if (type == SERVER_NAME) {
          named = true;
        } else {
          kept.put(message, from, hello.position() - from);
        }
      }
      kept.putShort(before - Short.BYTES, (short) (kept.position() - before));
      return named ? Optional.of(Arrays.copyOf(kept.array(), kept.position())) : Optional.empty();
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static void skip(ByteBuffer buffer, int bytes) {
    buffer.position(buffer.position() + bytes);
  }

  /** The message as it came, and what is to be read of it. */
  private static final class Original extends GenericHandshakeMessage {
    private final byte[] message;
    private final byte[] body;

    Original(byte[] message, byte[] body) {
      super(HandshakeType.CLIENT_HELLO);
      this.message = message;
      this.body = body;
    }

    @Override
    public byte[] toByteArray() {
      return message;
    }

    @Override
    public byte[] fragmentToByteArray() {
      return body;
    }
  }
}
