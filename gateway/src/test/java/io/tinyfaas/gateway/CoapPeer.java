package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Eventually;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A device that sends and receives datagrams as the test writes them. No other has had its port:
 * the gateway would take its messages for those of the other one, sent again (RFC 7252, 4.4).
 */
final class CoapPeer implements AutoCloseable {

  /** How long an answer may take on a quiet machine. */
  private static final Duration ANSWER = Duration.ofSeconds(20);

  /**
   * When the gateway acknowledges what is not answered yet, unless TINYFAAS_COAP_ACK_DELAY is set.
   */
  static final Duration ACK_DELAY = Duration.ofMillis(500);

  /** Message IDs from here on are those of {@link #untilNow}. */
  private static final int FIRST_PING = 0xff00;

  private static final Set<Integer> USED_PORTS = ConcurrentHashMap.newKeySet();

  private final DatagramSocket socket;
  private final InetSocketAddress to;
  private int pings;

  CoapPeer(int port) throws IOException {
    this(InetAddress.getLoopbackAddress(), port);
  }

  CoapPeer(InetAddress gateway, int port) throws IOException {
    this(socket(null), new InetSocketAddress(gateway, port));
    socket.connect(to);
  }

  /** Hears whoever answers. */
  static CoapPeer unconnected(InetAddress to, int port) throws IOException {
    DatagramSocket socket = socket(null);
    socket.setBroadcast(true);
    return new CoapPeer(socket, new InetSocketAddress(to, port));
  }

  private CoapPeer(DatagramSocket socket, InetSocketAddress to) {
    this.socket = socket;
    this.to = to;
  }

  /** With an address of its own on this machine: 127.0.0.1 and up. */
  CoapPeer(String own, int port) throws IOException {
    this(InetAddress.ofLiteral(own), InetAddress.getLoopbackAddress(), port);
  }

  /** With an address of this machine as its own. */
  CoapPeer(InetAddress own, InetAddress gateway, int port) throws IOException {
    this(socket(own), new InetSocketAddress(gateway, port));
    socket.connect(to);
  }

  /**
   * @param own null for all addresses
   */
  private static DatagramSocket socket(InetAddress own) throws IOException {
    List<DatagramSocket> used = new ArrayList<>();
    try {
      while (true) {
        DatagramSocket socket = new DatagramSocket(new InetSocketAddress(own, 0));
        if (USED_PORTS.add(socket.getLocalPort())) {
          return socket;
        }
        used.add(socket);
      }
    } finally {
      used.forEach(DatagramSocket::close);
    }
  }

  /** A request with a one-byte token and the path, before any further bytes. */
  static byte[] request(String type, int code, int mid, String path, byte... more) {
    byte[] name = path.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    byte[] message = new byte[6 + name.length + more.length];
    message[0] = (byte) (type.equals("CON") ? 0x41 : 0x51);
    message[1] = (byte) code;
    message[2] = (byte) (mid >> 8);
    message[3] = (byte) mid;
    message[4] = 0x2a;
    message[5] = (byte) (0xb0 | name.length);
    System.arraycopy(name, 0, message, 6, name.length);
    System.arraycopy(more, 0, message, 6 + name.length, more.length);
    return message;
  }

  void send(byte[] message) throws IOException {
    socket.send(new DatagramPacket(message, message.length, to));
  }

  void send(String hex) throws IOException {
    send(HexFormat.of().parseHex(hex));
  }

  void send(Datagram message) throws IOException {
    send(message.bytes());
  }

  /** The next message. */
  Datagram next() throws IOException {
    return Datagram.parse(await());
  }

  /** The next message, as it is. */
  byte[] await() throws IOException {
    return receive((int) Eventually.patient(ANSWER).toMillis())
        .orElseThrow(() -> new AssertionError("no answer"));
  }

  /** Sends, and gets what comes next. */
  Datagram ask(Datagram request) throws IOException {
    send(request);
    return next();
  }

  /**
   * The answer to a request. It is in the acknowledgement, unless it takes longer than the gateway
   * waits with that, as it may on a busy machine: then it comes in a message of its own, is
   * acknowledged, and returned as if it had been in the acknowledgement.
   */
  Datagram answer(Datagram request) throws IOException {
    return answer(request.bytes());
  }

  /** The same to a request that a {@link Datagram} cannot be. */
  Datagram answer(byte[] request) throws IOException {
    long sent = System.nanoTime();
    send(request);
    Datagram first = next();
    if (first.type() != Datagram.ACK || first.code() != 0) {
      return first;
    }
    assertThat(Duration.ofNanos(System.nanoTime() - sent))
        .as("an answer that is not in the acknowledgement")
        .isGreaterThanOrEqualTo(ACK_DELAY);
    Datagram late = next();
    assertThat(late.token()).isEqualTo(Datagram.parse(request).token());
    if (late.type() == Datagram.CON) {
      acknowledge(late);
    }
    return new Datagram(
        first.type(), late.code(), first.mid(), late.token(), late.options(), late.payload());
  }

  /** Returns when it does not come again any more. */
  void acknowledge(Datagram message) throws IOException {
    send(Datagram.empty(Datagram.ACK, message.mid()));
    assertThat(untilNow()).allMatch(copy -> Arrays.equals(copy.bytes(), message.bytes()));
  }

  /**
   * What comes of what was sent before, but for what takes the gateway longer than to answer a
   * ping: it takes messages in their order.
   */
  List<Datagram> untilNow() throws IOException {
    Datagram ping = Datagram.empty(Datagram.CON, FIRST_PING + pings++ % (0x10000 - FIRST_PING));
    send(ping);
    List<Datagram> before = new ArrayList<>();
    Datagram message = next();
    while (message.type() != Datagram.RST || message.mid() != ping.mid()) {
      before.add(message);
      message = next();
    }
    return before;
  }

  /** Empty if nothing comes in time. */
  Optional<byte[]> receive(int millis) throws IOException {
    socket.setSoTimeout(millis);
    DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
    try {
      socket.receive(packet);
      return Optional.of(Arrays.copyOf(packet.getData(), packet.getLength()));
    } catch (SocketTimeoutException e) {
      return Optional.empty();
    }
  }

  /** What the first bytes of a message say: {@code "ACK 2.05 mid=17"}. */
  static String header(byte[] message) {
    String type = new String[] {"CON", "NON", "ACK", "RST"}[message[0] >> 4 & 3];
    int code = message[1] & 0xff;
    int mid = (message[2] & 0xff) << 8 | message[3] & 0xff;
    return "%s %d.%02d mid=%d".formatted(type, code >> 5, code & 31, mid);
  }

  @Override
  public void close() {
    socket.close();
  }
}
