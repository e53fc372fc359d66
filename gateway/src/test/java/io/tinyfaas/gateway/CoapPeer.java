package io.tinyfaas.gateway;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/** A device that sends and receives datagrams as the test writes them. */
final class CoapPeer implements AutoCloseable {

  private final DatagramSocket socket;
  private final InetSocketAddress to;

  CoapPeer(int port) throws IOException {
    this(InetAddress.getLoopbackAddress(), port);
  }

  CoapPeer(InetAddress gateway, int port) throws IOException {
    this(new DatagramSocket(), new InetSocketAddress(gateway, port));
    socket.connect(to);
  }

  /** Hears whoever answers. */
  static CoapPeer unconnected(InetAddress to, int port) throws IOException {
    DatagramSocket socket = new DatagramSocket();
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
    this(new DatagramSocket(new InetSocketAddress(own, 0)), new InetSocketAddress(gateway, port));
    socket.connect(to);
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

  /** The next message, which comes within 5 seconds. */
  Datagram next() throws IOException {
    return Datagram.parse(receive(5_000).orElseThrow(() -> new AssertionError("no answer")));
  }

  Datagram ask(Datagram request) throws IOException {
    send(request);
    return next();
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
