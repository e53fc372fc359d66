package io.tinyfaas.endtoend;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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

  /** Which datagrams are lost, numbered from 1 in each direction. */
  interface Loss {
    boolean takes(boolean fromClient, int number);
  }

  static final Loss NONE = (fromClient, number) -> false;

  private final InetSocketAddress gateway;
  private final Loss loss;
  private final DatagramSocket clients;
  private final Map<SocketAddress, DatagramSocket> gateways = new ConcurrentHashMap<>();
  private final List<Datagram> passed = new CopyOnWriteArrayList<>();
  private final AtomicInteger fromClients = new AtomicInteger();
  private final AtomicInteger fromGateway = new AtomicInteger();

  private volatile long last = System.nanoTime();

  /**
   * @param port of a gateway on this machine
   */
  Wire(int port, Loss loss) {
    this.gateway = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    this.loss = loss;
    try {
      clients = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::carryToGateway);
  }

  /** Where clients find the gateway. */
  int port() {
    return clients.getLocalPort();
  }

  /** All datagrams, when none has come for a moment. */
  List<Datagram> passed() {
    await().until(() -> System.nanoTime() - last > QUIET_NANOS);
    return List.copyOf(passed);
  }

  private void carryToGateway() {
    carry(
        clients,
        packet -> {
          SocketAddress client = packet.getSocketAddress();
          DatagramSocket upstream = gateways.computeIfAbsent(client, this::connect);
          pass(true, fromClients.incrementAndGet(), packet, upstream, gateway);
        });
  }

  private DatagramSocket connect(SocketAddress client) {
    try {
      DatagramSocket upstream = new DatagramSocket();
      Thread.ofVirtual()
          .start(
              () ->
                  carry(
                      upstream,
                      packet ->
                          pass(false, fromGateway.incrementAndGet(), packet, clients, client)));
      return upstream;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private interface Carrier {
    void carry(DatagramPacket packet) throws IOException;
  }

  private static void carry(DatagramSocket from, Carrier carrier) {
    try {
      while (true) {
        DatagramPacket packet = new DatagramPacket(new byte[MAX_DATAGRAM], MAX_DATAGRAM);
        from.receive(packet);
        carrier.carry(packet);
      }
    } catch (IOException e) {
      // closed
    }
  }

  private void pass(
      boolean fromClient, int number, DatagramPacket packet, DatagramSocket by, SocketAddress to)
      throws IOException {
    byte[] bytes = Arrays.copyOf(packet.getData(), packet.getLength());
    boolean lost = loss.takes(fromClient, number);
    last = System.nanoTime();
    passed.add(new Datagram(fromClient, lost, bytes));
    if (!lost) {
      by.send(new DatagramPacket(bytes, bytes.length, to));
    }
  }

  @Override
  public void close() {
    clients.close();
    gateways.values().forEach(DatagramSocket::close);
  }
}
