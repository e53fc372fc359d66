package io.tinyfaas.gateway;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntPredicate;

/** A NAT between one device and the gateway, which can forget its port, and lose datagrams. */
final class UdpRelay implements AutoCloseable {

  private static final int MAX_DATAGRAM = 2_048;

  private final DatagramSocket inside = loopback();
  private final InetSocketAddress gateway;
  private final AtomicInteger passed = new AtomicInteger();
  private final IntPredicate lost;
  private volatile DatagramSocket outside;
  private volatile SocketAddress device;

  /**
   * @param lost whether the datagram with this number, from 1, counted in both directions, is lost
   */
  UdpRelay(int gatewayPort, IntPredicate lost) {
    this.gateway = new InetSocketAddress(InetAddress.getLoopbackAddress(), gatewayPort);
    this.lost = lost;
    rebind();
    Thread.ofVirtual().start(this::outwards);
  }

  private static DatagramSocket loopback() {
    try {
      return new DatagramSocket(0, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int port() {
    return inside.getLocalPort();
  }

  /** The port that the gateway sees. */
  int outsidePort() {
    return outside.getLocalPort();
  }

  /** From now on the device has another address; what is sent to the old one gets nowhere. */
  void rebind() {
    DatagramSocket before = outside;
    DatagramSocket next = loopback();
    outside = next;
    if (before != null) {
      before.close();
    }
    Thread.ofVirtual().start(() -> inwards(next));
  }

  private void outwards() {
    pass(
        inside,
        (bytes, from) -> {
          device = from;
          outside.send(new DatagramPacket(bytes, bytes.length, gateway));
        });
  }

  private void inwards(DatagramSocket socket) {
    pass(socket, (bytes, _) -> inside.send(new DatagramPacket(bytes, bytes.length, device)));
  }

  private interface Way {
    void send(byte[] bytes, SocketAddress from) throws IOException;
  }

  private void pass(DatagramSocket from, Way way) {
    DatagramPacket packet = new DatagramPacket(new byte[MAX_DATAGRAM], MAX_DATAGRAM);
    try {
      while (true) {
        packet.setLength(MAX_DATAGRAM);
        from.receive(packet);
        if (!lost.test(passed.incrementAndGet())) {
          pass(packet, way);
        }
      }
    } catch (IOException e) {
      // closed
    }
  }

  private static void pass(DatagramPacket packet, Way way) {
    try {
      way.send(Arrays.copyOf(packet.getData(), packet.getLength()), packet.getSocketAddress());
    } catch (IOException e) {
      // It is lost: the device is moving right now.
    }
  }

  @Override
  public void close() {
    inside.close();
    outside.close();
  }
}
