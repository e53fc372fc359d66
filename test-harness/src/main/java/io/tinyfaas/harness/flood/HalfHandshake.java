package io.tinyfaas.harness.flood;

import io.tinyfaas.harness.Eventually;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;

/** A handshake of DTLS 1.2 (RFC 6347) that proves its address, and goes no further. */
public final class HalfHandshake implements AutoCloseable {

  private static final int PATIENCE_MILLIS =
      (int) Eventually.patient(Duration.ofSeconds(10)).toMillis();
  private static final int HELLO_VERIFY_REQUEST = 3;
  private static final int SERVER_HELLO = 2;
  private static final int RECORD_HEADER = 13;
  private static final int HEADERS = RECORD_HEADER + 12;

  /**
   * Those of ECDHE with certificates, and what belongs to them: curve secp256r1, uncompressed
   * points, ECDSA with SHA-256, the extended master secret.
   */
  private static final byte[] SUITES_AND_EXTENSIONS = {
    0,
    2,
    (byte) 0xc0,
    0x2b,
    1,
    0,
    0,
    26,
    0,
    10,
    0,
    4,
    0,
    2,
    0,
    23,
    0,
    11,
    0,
    2,
    1,
    0,
    0,
    13,
    0,
    4,
    0,
    2,
    4,
    3,
    0,
    23,
    0,
    0
  };

  private static final int EXTENSIONS_LENGTH_AT = 6;

  private final byte[] extension;
  private final DatagramSocket socket;
  private final byte[] random = new byte[32];
  private final long start = System.nanoTime();
  private final boolean answered;
  private final long end;

  public HalfHandshake(InetAddress from, int port) throws IOException {
    this(from, new InetSocketAddress("127.0.0.1", port), new byte[0]);
  }

  /**
   * @param extension more in the hello: type, length and content
   */
  public HalfHandshake(InetAddress from, int port, byte[] extension) throws IOException {
    this(from, new InetSocketAddress("127.0.0.1", port), extension);
  }

  HalfHandshake(InetAddress from, InetSocketAddress to, byte[] extension) throws IOException {
    this.extension = extension;
    socket = new DatagramSocket(new InetSocketAddress(from, 0));
    socket.connect(to);
    socket.setSoTimeout(PATIENCE_MILLIS);
    Arrays.fill(random, (byte) socket.getLocalPort());
    hello(0, new byte[0]);
    byte[] verify = receive();
    if (type(verify) != HELLO_VERIFY_REQUEST) {
      throw new IllegalStateException("no cookie");
    }
    byte[] cookie = Arrays.copyOfRange(verify, HEADERS + 3, HEADERS + 3 + verify[HEADERS + 2]);
    hello(1, cookie);
    int answer = type(receive());
    if (answer != SERVER_HELLO && answer != HELLO_VERIFY_REQUEST) {
      throw new IllegalStateException("neither begun nor refused");
    }
    answered = answer == SERVER_HELLO;
    end = System.nanoTime();
  }

  /** Of what the gateway did, which was between this and {@link #end}; as System.nanoTime. */
  public long start() {
    return start;
  }

  public long end() {
    return end;
  }

  /** Whether the gateway has begun its part; else it has asked for another proof. */
  public boolean isAnswered() {
    return answered;
  }

  private void hello(int sequence, byte[] cookie) throws IOException {
    int length =
        2 + random.length + 2 + cookie.length + SUITES_AND_EXTENSIONS.length + extension.length;
    ByteBuffer record = ByteBuffer.allocate(HEADERS + length);
    record.put((byte) 22).putShort((short) 0xfefd).putShort((short) 0);
    record.putShort((short) 0).putInt(sequence).putShort((short) (12 + length));
    record.putInt(1 << 24 | length).putShort((short) sequence);
    record.put((byte) 0).putShort((short) 0).put((byte) 0).putShort((short) length);
    record.putShort((short) 0xfefd).put(random).put((byte) 0);
    record.put((byte) cookie.length).put(cookie).put(SUITES_AND_EXTENSIONS).put(extension);
    record.put(
        HEADERS
            + length
            - extension.length
            - SUITES_AND_EXTENSIONS.length
            + EXTENSIONS_LENGTH_AT
            + 1,
        (byte) (SUITES_AND_EXTENSIONS[EXTENSIONS_LENGTH_AT + 1] + extension.length));
    socket.send(new DatagramPacket(record.array(), record.capacity()));
  }

  /** Empty if nothing comes. */
  private byte[] receive() throws IOException {
    DatagramPacket datagram = new DatagramPacket(new byte[2_048], 2_048);
    try {
      socket.receive(datagram);
    } catch (SocketTimeoutException e) {
      return new byte[0];
    }
    return Arrays.copyOf(datagram.getData(), datagram.getLength());
  }

  private static int type(byte[] datagram) {
    return datagram.length > HEADERS ? datagram[RECORD_HEADER] : -1;
  }

  @Override
  public void close() {
    socket.close();
  }
}
