package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.eclipse.californium.core.coap.Message;
import org.eclipse.californium.core.network.serialization.UdpDataParser;

/** The wire between clients and a gateway: it shows what goes over it, and can lose datagrams. */
final class Wire implements AutoCloseable {

  private static final int MAX_DATAGRAM = 2048;
  private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** A datagram in the order of their coming, lost or not. */
  record Datagram(boolean fromClient, boolean lost, byte[] bytes) {

    Message message() {
      return new UdpDataParser().parseMessage(bytes);
    }
  }

  /**
   * Which datagrams are lost, numbered from 1 in each direction. One that is sent again, the same
   * to its last byte, has no number and is not lost: it depends on the machine how often that
   * happens.
   */
  interface Loss {
    boolean takes(boolean fromClient, int number);
  }

  static final Loss NONE = (fromClient, number) -> false;

  private final InetSocketAddress gateway;
  private final Loss loss;
  private final DatagramSocket clients;
  private final Map<SocketAddress, DatagramSocket> gateways = new ConcurrentHashMap<>();
  private final List<Datagram> passed = new CopyOnWriteArrayList<>();
  private final DatagramSocket probe;
  private final AtomicInteger probes = new AtomicInteger();

  private volatile long last = System.nanoTime();

  /**
   * @param port of a gateway on this machine
   */
  Wire(int port, Loss loss) {
    this.gateway = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    this.loss = loss;
    try {
      clients = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      probe = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::carryToGateway);
  }

  /** Where clients find the gateway. */
  int port() {
    return clients.getLocalPort();
  }

  /**
   * All datagrams that clients and gateway have sent so far, and those that follow until none has
   * come for a moment.
   */
  List<Datagram> passed() {
    awaitCarried();
    eventually().until(() -> System.nanoTime() - last > QUIET_NANOS);
    awaitCarried();
    return soFar();
  }

  /** What has been seen, which may not be all that has been sent. */
  List<Datagram> soFar() {
    return List.copyOf(passed);
  }

  /** Sockets are read in order: when what is sent to them now has come, so has all before it. */
  private void awaitCarried() {
    List<DatagramSocket> sockets = new ArrayList<>(gateways.values());
    sockets.add(clients);
    int goal = probes.get() + sockets.size();
    for (DatagramSocket socket : sockets) {
      InetSocketAddress to =
          new InetSocketAddress(InetAddress.getLoopbackAddress(), socket.getLocalPort());
      try {
        probe.send(new DatagramPacket(new byte[0], 0, to));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    eventually().pollInterval(Duration.ofMillis(1)).until(() -> probes.get() >= goal);
  }

  private void carryToGateway() {
    carry(
        clients,
        packet -> {
          SocketAddress client = packet.getSocketAddress();
          DatagramSocket upstream = gateways.computeIfAbsent(client, this::connect);
          pass(true, packet, upstream, gateway);
        });
  }

  private DatagramSocket connect(SocketAddress client) {
    try {
      DatagramSocket upstream = new DatagramSocket();
      Thread.ofVirtual()
          .start(() -> carry(upstream, packet -> pass(false, packet, clients, client)));
      return upstream;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private interface Carrier {
    void carry(DatagramPacket packet) throws IOException;
  }

  private void carry(DatagramSocket from, Carrier carrier) {
    try {
      while (true) {
        DatagramPacket packet = new DatagramPacket(new byte[MAX_DATAGRAM], MAX_DATAGRAM);
        from.receive(packet);
        if (packet.getSocketAddress().equals(probe.getLocalSocketAddress())) {
          probes.incrementAndGet();
        } else {
          carrier.carry(packet);
        }
      }
    } catch (IOException e) {
      // closed
    }
  }

  private void pass(boolean fromClient, DatagramPacket packet, DatagramSocket by, SocketAddress to)
      throws IOException {
    byte[] bytes = Arrays.copyOf(packet.getData(), packet.getLength());
    boolean lost = record(fromClient, bytes);
    if (!lost) {
      by.send(new DatagramPacket(bytes, bytes.length, to));
    }
  }

  private synchronized boolean record(boolean fromClient, byte[] bytes) {
    Set<ByteBuffer> before =
        passed.stream()
            .filter(datagram -> datagram.fromClient() == fromClient)
            .map(datagram -> ByteBuffer.wrap(datagram.bytes()))
            .collect(Collectors.toSet());
    boolean lost =
        !before.contains(ByteBuffer.wrap(bytes)) && loss.takes(fromClient, before.size() + 1);
    last = System.nanoTime();
    passed.add(new Datagram(fromClient, lost, bytes));
    return lost;
  }

  @Override
  public void close() {
    clients.close();
    probe.close();
    gateways.values().forEach(DatagramSocket::close);
  }
}
