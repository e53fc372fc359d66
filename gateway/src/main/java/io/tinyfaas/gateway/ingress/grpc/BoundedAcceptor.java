package io.tinyfaas.gateway.ingress.grpc;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;

/** Accepts so many connections and closes further ones before anything is made for them. */
final class BoundedAcceptor implements ChannelFactory<ServerChannel> {

  private final int max;

  BoundedAcceptor(int max) {
    this.max = max;
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
      context.fireChannelRead(connection);
    }
  }
}
