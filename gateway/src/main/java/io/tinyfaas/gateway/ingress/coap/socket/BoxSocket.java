package io.tinyfaas.gateway.ingress.coap.socket;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.socket.DatagramChannel;
import io.tinyfaas.contract.peer.PeerNetwork;
import io.tinyfaas.gateway.memory.Places;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * To Scandium one socket, as it knows no others; where it is bound to all addresses of the box, one
 * for each that was asked ({@link LocalSockets}), so that an answer comes from the address that the
 * device asked. Which one that was last is remembered by the device's address, as Scandium says
 * nothing else of where it sends. Datagrams come on the event loop, and wait for Scandium's thread
 * in places that their addresses share: one that sends without end keeps nobody else out.
 */
public final class BoxSocket extends DatagramSocket {

  /** A device's certificates, and what it sends together with them; longer ones are ignored. */
  private static final int MAX_DATAGRAM_BYTES = 5 * 1_024;

  /** What is more is dropped, and comes again. */
  private static final int MAX_WAITING = 256;

  /** Read in a turn of the loop: to drop one costs little, and one that is read keeps no other. */
  private static final int MAX_READ = 256;

  private static final int RECEIVE_BUFFER_BYTES = 1_024 * 1_024;

  /** Twice the sessions that there may be, as each may have moved. */
  private static final int MAX_PEERS = 2_048;

  /** What the network does not take; beyond it records are dropped. */
  private static final int MAX_UNSENT_BYTES = 1_024 * 1_024;

  private final BlockingQueue<DatagramPacket> received = new ArrayBlockingQueue<>(MAX_WAITING);

  /** Of those that are received; guarded by itself. */
  private final Places<InetAddress> places = new Places<>(MAX_WAITING);

  private final DatagramChannel bound;
  private final InetSocketAddress address;
  private final Map<SocketAddress, DatagramChannel> asked =
      Collections.synchronizedMap(
          new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<SocketAddress, DatagramChannel> eldest) {
              return size() > MAX_PEERS;
            }
          });

  /** Null where the socket is bound to one address anyway. On the loop. */
  private LocalSockets sockets;

  /**
   * @throws IOException if the address cannot be bound
   */
  public BoxSocket(EventLoop loop, InetSocketAddress wanted) throws IOException {
    super((SocketAddress) null);
    if (wanted.isUnresolved()) {
      super.close();
      throw new SocketException("unknown host");
    }
    boolean any = wanted.getAddress().isAnyLocalAddress();
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loop)
            .channelFactory(EpollDatagramChannel::new)
            .option(ChannelOption.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            .option(
                ChannelOption.RCVBUF_ALLOCATOR,
                new FixedRecvByteBufAllocator(MAX_DATAGRAM_BYTES + 1).maxMessagesPerRead(MAX_READ))
            .option(
                ChannelOption.WRITE_BUFFER_WATER_MARK,
                new WriteBufferWaterMark(MAX_UNSENT_BYTES / 2, MAX_UNSENT_BYTES))
            .option(EpollChannelOption.IP_RECVORIGDSTADDR, any)
            .handler(new Inbound());
    ChannelFuture opened = bootstrap.bind(wanted).awaitUninterruptibly();
    if (!opened.isSuccess()) {
      super.close();
      throw new SocketException(opened.cause().getMessage(), opened.cause());
    }
    bound = (DatagramChannel) opened.channel();
    address = bound.localAddress();
    if (any) {
      loop.submit(() -> sockets = new LocalSockets(bootstrap, bound)).awaitUninterruptibly();
    }
  }

  @Sharable
  private final class Inbound
      extends SimpleChannelInboundHandler<io.netty.channel.socket.DatagramPacket> {

    @Override
    protected void channelRead0(
        ChannelHandlerContext context, io.netty.channel.socket.DatagramPacket datagram) {
      int length = datagram.content().readableBytes();
      if (length > MAX_DATAGRAM_BYTES) {
        return;
      }
      byte[] bytes = new byte[length];
      datagram.content().readBytes(bytes);
      InetSocketAddress from = datagram.sender();
      InetAddress to = datagram.recipient().getAddress();
      if (sockets == null || context.channel() != bound || to.isAnyLocalAddress()) {
        arrived(from, bytes, (DatagramChannel) context.channel());
      } else {
        sockets.of(to, socket -> arrived(from, bytes, socket));
      }
    }

    private void arrived(InetSocketAddress from, byte[] bytes, DatagramChannel socket) {
      synchronized (places) {
        if (!places.take(PeerNetwork.of(from.getAddress()))) {
          return;
        }
      }
      asked.put(from, socket);
      received.add(new DatagramPacket(bytes, bytes.length, from));
    }

    /** Of one datagram: such as a port that is not there any more. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {}
  }

  @Override
  public void receive(DatagramPacket datagram) throws IOException {
    try {
      DatagramPacket next = received.take();
      synchronized (places) {
        places.give(PeerNetwork.of(next.getAddress()));
      }
      datagram.setData(next.getData());
      datagram.setSocketAddress(next.getSocketAddress());
    } catch (InterruptedException e) {
      throw new InterruptedIOException("the socket is closed");
    }
  }

  @Override
  public void send(DatagramPacket datagram) throws IOException {
    SocketAddress to = datagram.getSocketAddress();
    DatagramChannel socket = asked.getOrDefault(to, bound);
    if (!socket.isWritable()) {
      throw new SocketException("closed, or the network does not keep up");
    }
    socket.writeAndFlush(
        new io.netty.channel.socket.DatagramPacket(
            socket
                .alloc()
                .directBuffer(datagram.getLength())
                .writeBytes(datagram.getData(), datagram.getOffset(), datagram.getLength()),
            (InetSocketAddress) to),
        socket.voidPromise());
  }

  @Override
  public boolean isBound() {
    return true;
  }

  @Override
  public InetAddress getLocalAddress() {
    return address.getAddress();
  }

  @Override
  public int getLocalPort() {
    return address.getPort();
  }

  /** Whoever waits in {@link #receive} is interrupted by Scandium. */
  @Override
  public void close() {
    super.close();
    bound.close().awaitUninterruptibly();
    bound
        .eventLoop()
        .execute(
            () -> {
              if (sockets != null) {
                sockets.close();
              }
            });
  }
}
