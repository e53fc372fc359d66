package io.tinyfaas.gateway.ingress.grpc;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.tinyfaas.gateway.loop.FairReads;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.tinyfaas.gateway.memory.Places;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * Accepts so many connections, three quarters of them of one address, and closes further ones
 * before anything is made for them. What their clients do not take is counted.
 */
final class BoundedAcceptor implements ChannelFactory<ServerChannel> {

  /** Some 450 of the smallest frames, which take half a millisecond. */
  private static final int READ_BYTES = 4 * 1024;

  private final Places<InetAddress> places;
  private final int maxCalls;
  private final CallMemory.Factory calls;
  private final BodyMemory memory;
  private final PeerHolders peers;

  /**
   * @param maxCalls of a connection at once
   */
  BoundedAcceptor(
      int max, int maxCalls, CallMemory.Factory calls, BodyMemory memory, PeerHolders peers) {
    this.places = new Places<>(max);
    this.maxCalls = maxCalls;
    this.calls = calls;
    this.memory = memory;
    this.peers = peers;
  }

  @Override
  public ServerChannel newChannel() {
    ServerChannel server = new EpollServerSocketChannel();
    server.pipeline().addLast(new Bound());
    return server;
  }

  /** On the event loop, as everything of these channels. */
  private final class Bound extends ChannelInboundHandlerAdapter {

    @Override
    public void channelRead(ChannelHandlerContext context, Object accepted) {
      Channel connection = (Channel) accepted;
      // Null if it is closed already.
      if (!(connection.remoteAddress() instanceof InetSocketAddress remote)
          || !places.take(remote.getAddress())) {
        connection.unsafe().closeForcibly();
        return;
      }
      InetAddress address = remote.getAddress();
      connection.closeFuture().addListener(closed -> places.give(address));
      connection
          .pipeline()
          .addLast(new ConnectionMemory(maxCalls, calls, memory, peers.of(address)));
      FairReads.of(connection, READ_BYTES);
      context.fireChannelRead(connection);
    }
  }
}
