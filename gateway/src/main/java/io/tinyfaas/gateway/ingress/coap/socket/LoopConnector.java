package io.tinyfaas.gateway.ingress.coap.socket;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollEventLoop;
import io.netty.channel.epoll.EpollMode;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.tinyfaas.gateway.ingress.coap.peer.Peer;
import io.tinyfaas.gateway.ingress.coap.peer.Peers;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.loop.BusyPoll;
import io.vertx.core.Future;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.eclipse.californium.elements.Connector;
import org.eclipse.californium.elements.EndpointContext;
import org.eclipse.californium.elements.EndpointContextMatcher;
import org.eclipse.californium.elements.RawData;
import org.eclipse.californium.elements.RawDataChannel;
import org.eclipse.californium.elements.UdpEndpointContext;
import org.eclipse.californium.elements.exception.EndpointMismatchException;
import org.eclipse.californium.elements.util.ClockUtil;

/**
 * UDP on the event loop that also talks to handlers. Californium's own connector has a thread that
 * receives and one that sends: two hand-overs for each message, which cost more than the message.
 * Here datagrams that wait are read with one system call and answers of one turn of the loop are
 * written with one. A datagram is taken from the socket only when those before it are on their way;
 * what does not fit into the socket's buffer meanwhile is dropped there, and devices send again.
 */
public final class LoopConnector implements Connector {

  /** The kernel drops datagrams from about 256 devices on with its own default. */
  private static final int RECEIVE_BUFFER_BYTES = 4 * 1_024 * 1_024;

  /** Answers that the network does not take; beyond it they are dropped. */
  private static final int MAX_UNSENT_BYTES = 4 * 1_024 * 1_024;

  /** Of an empty message (RFC 7252, 4.1). */
  private static final int EMPTY_BYTES = 4;

  private static final byte EMPTY_CON = 0x40;
  private static final byte EMPTY_RST = 0x70;

  private final EventLoop loop;
  private final InetSocketAddress wanted;
  private final int maxDatagram;

  /** Room for a datagram, with one byte more, which tells those that are too long. */
  private final int slot;

  private final Peers peers;
  private final List<DatagramReader> readers = new ArrayList<>();
  private volatile DatagramChannel channel;
  private volatile InetSocketAddress address;
  private volatile RawDataChannel receiver;
  private volatile EndpointContextMatcher matcher;

  /** The sockets that have something to flush. On the loop. */
  private final Set<DatagramChannel> written = new LinkedHashSet<>();

  private final Runnable flush = this::flush;
  private final BusyPoll requests;
  private final DatagramBatches batches;

  /** Of single addresses; null where the socket is bound to one anyway. On the loop. */
  private LocalSockets sockets;

  /**
   * @param maxDatagram in bytes; longer ones are ignored
   */
  public LoopConnector(EventLoop loop, InetSocketAddress address, int maxDatagram, Peers peers) {
    this.loop = loop;
    this.wanted = address;
    this.address = address;
    this.maxDatagram = maxDatagram;
    this.slot = maxDatagram + 1;
    this.peers = peers;
    this.readers.add(LoopConnector::isSignOfLife);
    this.requests = new BusyPoll(loop);
    this.batches = new DatagramBatches(slot);
  }

  /** To be called before the start: it is offered what those before it have not taken. */
  public void addReader(DatagramReader reader) {
    readers.add(reader);
  }

  @Override
  public void start() throws IOException {
    boolean epoll = loop instanceof EpollEventLoop;
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loop)
            .channelFactory(epoll ? EpollDatagramChannel::new : NioDatagramChannel::new)
            .option(ChannelOption.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            .option(
                ChannelOption.RCVBUF_ALLOCATOR,
                epoll ? batches : new FixedRecvByteBufAllocator(slot).maxMessagesPerRead(1))
            .option(
                ChannelOption.WRITE_BUFFER_WATER_MARK,
                new WriteBufferWaterMark(MAX_UNSENT_BYTES / 2, MAX_UNSENT_BYTES))
            .handler(new Inbound());
    if (epoll) {
      // Level-triggered: one read in a turn of the loop, not another one that finds nothing.
      bootstrap
          .option(EpollChannelOption.MAX_DATAGRAM_PAYLOAD_SIZE, slot)
          .option(EpollChannelOption.EPOLL_MODE, EpollMode.LEVEL_TRIGGERED);
    }
    boolean anyAddress = epoll && wanted.getAddress().isAnyLocalAddress();
    if (anyAddress) {
      bootstrap.option(EpollChannelOption.IP_RECVORIGDSTADDR, true);
    }
    ChannelFuture bound = bootstrap.bind(wanted).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IOException(bound.cause().getMessage(), bound.cause());
    }
    DatagramChannel open = (DatagramChannel) bound.channel();
    address = open.localAddress();
    loop.submit(
            () -> {
              sockets = anyAddress ? new LocalSockets(bootstrap, open) : null;
              channel = open;
            })
        .awaitUninterruptibly();
  }

  @Override
  public void stop() {
    DatagramChannel open = channel;
    channel = null;
    if (open != null) {
      open.close().awaitUninterruptibly();
      loop.execute(
          () -> {
            if (sockets != null) {
              sockets.close();
            }
          });
    }
  }

  @Override
  public void destroy() {
    stop();
    receiver = null;
  }

  @Override
  public void send(RawData message) {
    if (!loop.inEventLoop()) {
      loop.execute(() -> send(message));
      return;
    }
    DatagramChannel open = channel;
    if (open == null) {
      message.onError(new IOException("the connector is stopped"));
      return;
    }
    EndpointContext destination = message.getEndpointContext();
    InetSocketAddress to = destination.getPeerAddress();
    // What is sent again goes where this says, and has to leave by the same socket.
    EndpointContext connection =
        destination instanceof PeerContext ? destination : new UdpEndpointContext(to);
    EndpointContextMatcher current = matcher;
    if (current != null && !current.isToBeSent(destination, connection)) {
      message.onError(new EndpointMismatchException("UDP sending"));
      return;
    }
    Sender receiver =
        destination instanceof PeerContext known
            ? known.sender()
            : new Sender(to, peers.at(to), open);
    if (to.getPort() == 0 || !receiver.socket().isWritable()) {
      message.onError(new IOException("no such port, or the network does not keep up"));
      return;
    }
    if (!receiver.peer().spend(message.getSize())) {
      ping(receiver);
      message.onError(new IOException("too much for an address that is not verified"));
      return;
    }
    message.onContextEstablished(connection);
    ByteBuf bytes = open.alloc().directBuffer(message.getSize()).writeBytes(message.getBytes());
    ChannelPromise sent = receiver.socket().newPromise();
    write(receiver, bytes, sent);
    sent.addListener(
        done -> {
          if (done.isSuccess()) {
            message.onSent();
          } else {
            message.onError(done.cause());
          }
        });
  }

  /**
   * Asks an address for a sign of life: an empty confirmable message that is answered with a reset
   * (RFC 7252, 4.3). Nothing if it has been sent too much already. On the loop.
   */
  public void ping(Sender to) {
    int mid = to.peer().nextPing();
    if (mid >= 0 && to.peer().spend(EMPTY_BYTES)) {
      write(
          to,
          to.socket().alloc().directBuffer(EMPTY_BYTES).writeShort(EMPTY_CON << 8).writeShort(mid));
    }
  }

  /** Sends a datagram at the end of this turn of the loop, or never. On the loop. */
  public void write(Sender to, ByteBuf datagram) {
    if (to.socket().isWritable()) {
      write(to, datagram, to.socket().voidPromise());
    } else {
      datagram.release();
    }
  }

  private void write(Sender to, ByteBuf datagram, ChannelPromise sent) {
    to.socket().write(new DatagramPacket(datagram, to.address()), sent);
    if (written.isEmpty()) {
      loop.execute(flush);
    }
    written.add(to.socket());
  }

  /**
   * Gives Californium a datagram, as the last of the readers or for one of them. On the loop.
   *
   * @param result of the invocation that it has begun already
   */
  public void deliver(Sender from, byte[] message, Optional<Future<InvocationResult>> result) {
    RawDataChannel current = receiver;
    if (current != null) {
      current.receiveData(
          RawData.inbound(
              message,
              new PeerContext(from, this::ping, result),
              false,
              ClockUtil.nanoRealtime(),
              from.socket().localAddress()));
    }
  }

  /** After what else this turn of the loop has to send. */
  private void flush() {
    written.forEach(DatagramChannel::flush);
    written.clear();
    requests.await();
  }

  @Override
  public void setRawDataReceiver(RawDataChannel receiver) {
    this.receiver = receiver;
  }

  @Override
  public void setEndpointContextMatcher(EndpointContextMatcher matcher) {
    this.matcher = matcher;
  }

  @Override
  public InetSocketAddress getAddress() {
    return address;
  }

  @Override
  public String getProtocol() {
    return "UDP";
  }

  @Override
  public boolean isRunning() {
    return channel != null;
  }

  /** For datagrams that come another way, of which there are none. */
  @Override
  public void processDatagram(java.net.DatagramPacket datagram) {
    throw new UnsupportedOperationException("datagrams come from the channel");
  }

  /** Whether it answers a ping of {@link #ping}; it is nobody else's then. */
  private static boolean isSignOfLife(Sender from, byte[] message) {
    return message.length == EMPTY_BYTES
        && message[0] == EMPTY_RST
        && message[1] == 0
        && from.peer().reset((message[2] & 0xff) << 8 | message[3] & 0xff);
  }

  @Sharable
  private final class Inbound extends SimpleChannelInboundHandler<DatagramPacket> {

    @Override
    protected void channelRead0(ChannelHandlerContext context, DatagramPacket datagram) {
      batches.received();
      requests.arrived();
      int length = datagram.content().readableBytes();
      if (length > maxDatagram || datagram.sender().getPort() == 0) {
        return;
      }
      byte[] bytes = new byte[length];
      datagram.content().readBytes(bytes);
      InetSocketAddress from = datagram.sender();
      InetAddress asked = datagram.recipient().getAddress();
      if (context.channel() != channel || sockets == null || asked.isAnyLocalAddress()) {
        receive(from, bytes, (DatagramChannel) context.channel());
      } else {
        sockets.of(asked, socket -> receive(from, bytes, socket));
      }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      batches.complete();
    }

    private void receive(InetSocketAddress from, byte[] bytes, DatagramChannel socket) {
      Peer peer = peers.at(from);
      peer.received(bytes.length);
      Sender sender = new Sender(from, peer, socket);
      for (DatagramReader reader : readers) {
        if (reader.take(sender, bytes)) {
          return;
        }
      }
      deliver(sender, bytes, Optional.empty());
    }

    /** Of one datagram: such as a port that is not there any more. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {}
  }
}
