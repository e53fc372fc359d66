package io.tinyfaas.gateway.ingress.coap;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.tinyfaas.gateway.ingress.coap.socket.BoxSocket;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BoxSocketTest {

  private static final int MANY = 400;
  private static final int TURNS = 200;
  private static final int LARGEST = 5 * 1_024;

  private final EpollEventLoopGroup loops = new EpollEventLoopGroup(1);
  private final EventLoop loop = loops.next();
  private final List<Integer> lengths = new CopyOnWriteArrayList<>();
  private BoxSocket socket;

  @BeforeEach
  void open() throws IOException {
    socket = new BoxSocket(loop, new InetSocketAddress("127.0.0.1", 0));
  }

  @AfterEach
  void close() {
    socket.close();
    loops.shutdownGracefully();
  }

  private void send(String from, int times, int bytes) throws IOException {
    InetSocketAddress own = new InetSocketAddress(InetAddress.ofLiteral(from), 0);
    try (DatagramSocket device = new DatagramSocket(own)) {
      for (int sent = 0; sent < times; sent++) {
        device.send(
            new DatagramPacket(
                new byte[bytes],
                bytes,
                new InetSocketAddress(socket.getLocalAddress(), socket.getLocalPort())));
      }
    }
  }

  /** The loop reads some in each of its turns. */
  private void awaitRead() {
    for (int turn = 0; turn < TURNS; turn++) {
      loop.submit(() -> {}).syncUninterruptibly();
    }
  }

  /** Scandium's thread, which has much to do until now. */
  private void receiveAll() {
    Thread.ofVirtual()
        .start(
            () -> {
              DatagramPacket datagram = new DatagramPacket(new byte[LARGEST], LARGEST);
              try {
                while (true) {
                  socket.receive(datagram);
                  lengths.add(datagram.getLength());
                }
              } catch (IOException e) {
                // It is closed.
              }
            });
  }

  @Test
  void shouldHaveAPlaceForOthersBesideAnAddressThatSendsWithoutEnd() throws IOException {
    send("127.0.11.1", MANY, 1);
    send("127.0.11.2", 1, 2);
    send("127.0.11.1", MANY, 1);
    send("127.0.11.3", 1, 3);
    awaitRead();
    receiveAll();
    eventually().untilAsserted(() -> assertThat(lengths).contains(2, 3));
    assertThat(lengths).hasSizeLessThanOrEqualTo(256);
  }

  @Test
  void shouldPassOverDatagramsThatAreLongerThanAnyOfADevice() throws IOException {
    send("127.0.11.1", 1, LARGEST + 1);
    send("127.0.11.1", 1, LARGEST);
    receiveAll();
    eventually().untilAsserted(() -> assertThat(lengths).containsExactly(LARGEST));
  }
}
