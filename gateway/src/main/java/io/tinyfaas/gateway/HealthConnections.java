package io.tinyfaas.gateway;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.ServerChannel;
import io.netty.channel.SingleThreadEventLoop;
import io.quarkus.vertx.http.HttpServerStart;
import io.vertx.core.Vertx;
import io.vertx.core.impl.VertxInternal;
import jakarta.enterprise.event.ObservesAsync;
import jakarta.inject.Singleton;

/**
 * Quarkus' server of health and metrics accepts on a thread of its own, which would make objects of
 * as many connections as programs open and close, faster than the loops come to close them. While
 * so many are not closed, others wait with the kernel. Each has {@link OneRequest}.
 */
@Singleton
@ChannelHandler.Sharable
class HealthConnections extends ChannelInboundHandlerAdapter {

  /** More than {@code quarkus.http.limits.max-connections}: what is beyond that is soon closed. */
  static final int MAX = 64;

  private final VertxInternal vertx;

  /** What is read in one piece: all requests in it are made objects of. */
  private static final RecvByteBufAllocator READING =
      new FixedRecvByteBufAllocator(2 * 1024).maxMessagesPerRead(1);

  /** As Vert.x names its own. */
  private static final String CONNECTION = "handler";

  /** On the thread that accepts, only. */
  private int open;

  HealthConnections(Vertx vertx) {
    this.vertx = (VertxInternal) vertx;
  }

  /** Only now there is what accepts; each event loop says that it has started. */
  void started(@ObservesAsync HttpServerStart event) {
    SingleThreadEventLoop acceptor =
        (SingleThreadEventLoop) vertx.getAcceptorEventLoopGroup().next();
    acceptor.execute(
        () ->
            acceptor
                .registeredChannelsIterator()
                .forEachRemaining(
                    channel -> {
                      if (channel instanceof ServerChannel
                          && channel.pipeline().get(HealthConnections.class) == null) {
                        channel.pipeline().addFirst(this);
                      }
                    }));
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object accepted) {
    Channel server = context.channel();
    if (++open >= MAX) {
      server.config().setAutoRead(false);
    }
    Channel connection = (Channel) accepted;
    connection.config().setRecvByteBufAllocator(READING);
    connection.pipeline().addFirst(new Opening());
    connection
        .closeFuture()
        .addListener(closed -> server.eventLoop().execute(() -> closed(server)));
    context.fireChannelRead(accepted);
  }

  /** Before anything is read, and after Vert.x has made its handlers. */
  private static final class Opening extends ChannelInboundHandlerAdapter {
    @Override
    public void channelActive(ChannelHandlerContext context) {
      context.fireChannelActive();
      if (context.pipeline().get(CONNECTION) != null) {
        context.pipeline().addBefore(CONNECTION, "one", new OneRequest());
      }
      context.pipeline().remove(this);
    }
  }

  private void closed(Channel server) {
    if (--open < MAX) {
      server.config().setAutoRead(true);
    }
  }
}
