package io.tinyfaas.gateway.ingress.coap;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollEventLoop;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.nio.NioDatagramChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
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
final class LoopConnector implements Connector {

  /** The kernel drops datagrams from about 256 devices on with its own default. */
  private static final int RECEIVE_BUFFER_BYTES = 4 * 1_024 * 1_024;

  /** Answers that the network does not take; beyond it they are dropped. */
  private static final int MAX_UNSENT_BYTES = 4 * 1_024 * 1_024;

  /** Datagrams that one system call reads. */
  private static final int BATCH = 16;

  private final EventLoop loop;
  private final InetSocketAddress wanted;
  private final int maxDatagram;
  private volatile DatagramChannel channel;
  private volatile InetSocketAddress address;
  private volatile RawDataChannel receiver;
  private volatile EndpointContextMatcher matcher;

  /** On the loop. */
  private boolean flushing;

  /**
   * @param maxDatagram in bytes; longer ones are ignored
   */
  LoopConnector(EventLoop loop, InetSocketAddress address, int maxDatagram) {
    this.loop = loop;
    this.wanted = address;
    this.address = address;
    this.maxDatagram = maxDatagram;
  }

  @Override
  public void start() throws IOException {
    // One byte more tells those that are too long.
    int slot = maxDatagram + 1;
    boolean epoll = loop instanceof EpollEventLoop;
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loop)
            .channelFactory(epoll ? EpollDatagramChannel::new : NioDatagramChannel::new)
            .option(ChannelOption.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            .option(
                ChannelOption.RCVBUF_ALLOCATOR,
                new FixedRecvByteBufAllocator(epoll ? BATCH * slot : slot))
            .option(
                ChannelOption.WRITE_BUFFER_WATER_MARK,
                new WriteBufferWaterMark(MAX_UNSENT_BYTES / 2, MAX_UNSENT_BYTES))
            .handler(new Inbound());
    if (epoll) {
      bootstrap.option(EpollChannelOption.MAX_DATAGRAM_PAYLOAD_SIZE, slot);
    }
    ChannelFuture bound = bootstrap.bind(wanted).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IOException(bound.cause().getMessage(), bound.cause());
    }
    channel = (DatagramChannel) bound.channel();
    address = channel.localAddress();
  }

  @Override
  public void stop() {
    DatagramChannel open = channel;
    channel = null;
    if (open != null) {
      open.close().awaitUninterruptibly();
    }
  }

  @Override
  public void destroy() {
    stop();
    receiver = null;
  }

  /** Usually on the loop; where not, what Netty does is the hand-over. */
  @Override
  public void send(RawData message) {
    DatagramChannel open = channel;
    if (open == null) {
      message.onError(new IOException("the connector is stopped"));
      return;
    }
    EndpointContext destination = message.getEndpointContext();
    EndpointContext connection = new UdpEndpointContext(destination.getPeerAddress());
    EndpointContextMatcher current = matcher;
    if (current != null && !current.isToBeSent(destination, connection)) {
      message.onError(new EndpointMismatchException("UDP sending"));
      return;
    }
    if (destination.getPeerAddress().getPort() == 0 || !open.isWritable()) {
      message.onError(new IOException("no such port, or the network does not keep up"));
      return;
    }
    message.onContextEstablished(connection);
    ByteBuf bytes = open.alloc().directBuffer(message.getSize()).writeBytes(message.getBytes());
    open.write(new DatagramPacket(bytes, destination.getPeerAddress()))
        .addListener(
            sent -> {
              if (sent.isSuccess()) {
                message.onSent();
              } else {
                message.onError(sent.cause());
              }
            });
    if (!loop.inEventLoop()) {
      open.flush();
    } else if (!flushing) {
      flushing = true;
      loop.execute(this::flush);
    }
  }

  /** After what else this turn of the loop has to send. */
  private void flush() {
    flushing = false;
    DatagramChannel open = channel;
    if (open != null) {
      open.flush();
    }
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

  private final class Inbound extends SimpleChannelInboundHandler<DatagramPacket> {

    @Override
    protected void channelRead0(ChannelHandlerContext context, DatagramPacket datagram) {
      RawDataChannel current = receiver;
      int length = datagram.content().readableBytes();
      InetSocketAddress peer = datagram.sender();
      if (current == null || length > maxDatagram || peer.getPort() == 0) {
        return;
      }
      byte[] bytes = new byte[length];
      datagram.content().readBytes(bytes);
      current.receiveData(
          RawData.inbound(
              bytes, new UdpEndpointContext(peer), false, ClockUtil.nanoRealtime(), address));
    }

    /** Of one datagram: such as a port that is not there any more. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {}
  }
}
