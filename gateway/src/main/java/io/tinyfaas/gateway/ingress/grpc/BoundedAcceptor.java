package io.tinyfaas.gateway.ingress.grpc;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.tinyfaas.gateway.invoke.BodyMemory;

/**
 * Accepts so many connections and closes further ones before anything is made for them. What their
 * clients do not take is counted.
 */
final class BoundedAcceptor implements ChannelFactory<ServerChannel> {

  private final int max;
  private final int maxCalls;
  private final CallMemory.Factory calls;
  private final BodyMemory memory;

  /**
   * @param maxCalls of a connection at once
   */
  BoundedAcceptor(int max, int maxCalls, CallMemory.Factory calls, BodyMemory memory) {
    this.max = max;
    this.maxCalls = maxCalls;
    this.calls = calls;
    this.memory = memory;
  }

  @Override
  public ServerChannel newChannel() {
    ServerChannel server = new EpollServerSocketChannel();
    server.pipeline().addLast(new Bound());
    return server;
  }

  /** On the event loop, as everything of these channels. */
  private final class Bound extends ChannelInboundHandlerAdapter {

    private int open;

    @Override
    public void channelRead(ChannelHandlerContext context, Object accepted) {
      Channel connection = (Channel) accepted;
      if (open >= max) {
        connection.unsafe().closeForcibly();
        return;
      }
      open++;
      connection.closeFuture().addListener(closed -> open--);
      connection.pipeline().addLast(new ConnectionMemory(maxCalls, calls, memory));
      context.fireChannelRead(connection);
    }
  }
}
