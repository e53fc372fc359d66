package io.tinyfaas.gateway.ingress.grpc;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.tinyfaas.contract.peer.PeerNetwork;
import io.tinyfaas.gateway.loop.FairReads;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.tinyfaas.gateway.memory.Places;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Accepts so many connections, three quarters of them of one address, and closes further ones
 * before anything is made for them. What their clients do not take is counted.
 */
final class BoundedAcceptor implements ChannelFactory<ServerChannel> {

  /** Some 450 of the smallest frames, which take half a millisecond. */
  private static final int READ_BYTES = 4 * 1024;

  private final Places<InetAddress> places;
  private final Bounds bounds;
  private final CallMemory.Factory calls;
  private final BodyMemory memory;
  private final PeerHolders peers;

  /**
   * @param calls of a connection at once
   * @param handshake how long grpc-java remembers a connection that has closed before its end
   */
  record Bounds(int connections, int calls, Duration handshake) {}

  BoundedAcceptor(Bounds bounds, CallMemory.Factory calls, BodyMemory memory, PeerHolders peers) {
    this.places = new Places<>(bounds.connections());
    this.bounds = bounds;
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
      if (!(connection.remoteAddress() instanceof InetSocketAddress remote)) {
        connection.unsafe().closeForcibly();
        return;
      }
      InetAddress address = PeerNetwork.of(remote.getAddress());
      if (!places.take(address)) {
        connection.unsafe().closeForcibly();
        return;
      }
      ConnectionMemory held =
          new ConnectionMemory(bounds.calls(), calls, memory, peers.of(address));
      connection.closeFuture().addListener(closed -> closed(connection, held, address));
      connection.pipeline().addLast(held);
      FairReads.of(connection, READ_BYTES);
      context.fireChannelRead(connection);
    }

    private void closed(Channel connection, ConnectionMemory held, InetAddress address) {
      if (held.hasBegun()) {
        places.give(address);
      } else {
        connection
            .eventLoop()
            .schedule(
                () -> places.give(address), bounds.handshake().toMillis(), TimeUnit.MILLISECONDS);
      }
    }
  }
}
