package io.tinyfaas.gateway;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
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
 * so many are not closed, others wait with the kernel.
 */
@Singleton
@ChannelHandler.Sharable
class HealthConnections extends ChannelInboundHandlerAdapter {

  /** More than {@code quarkus.http.limits.max-connections}: what is beyond that is soon closed. */
  static final int MAX = 64;

  private final VertxInternal vertx;

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
    ((Channel) accepted)
        .closeFuture()
        .addListener(closed -> server.eventLoop().execute(() -> closed(server)));
    context.fireChannelRead(accepted);
  }

  private void closed(Channel server) {
    if (--open < MAX) {
      server.config().setAutoRead(true);
    }
  }
}
