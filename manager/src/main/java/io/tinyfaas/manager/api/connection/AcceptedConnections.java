package io.tinyfaas.manager.api.connection;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.ServerChannel;
import io.netty.channel.SingleThreadEventLoop;
import io.quarkus.vertx.http.HttpServerStart;
import io.vertx.core.Vertx;
import io.vertx.core.impl.VertxInternal;
import jakarta.enterprise.event.ObservesAsync;
import jakarta.inject.Singleton;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * Looks at each connection when it is accepted, before anything is made for it. Vert.x and Quarkus
 * know how many there are, but neither whose they are nor which of them only wait.
 */
@Singleton
@ChannelHandler.Sharable
public class AcceptedConnections extends ChannelInboundHandlerAdapter {

  /**
   * Together no more than the heap has room for: an empty field of a head is two bytes and a
   * hundred of objects, before anybody is asked for a token.
   */
  public static final int MAX = 128;

  /** For the health check of the manager's container, which is made within it. */
  private static final int OWN = 2;

  /**
   * What is read in one piece. All requests in it are made objects of before the first is answered,
   * and of 18 bytes there is a kilobyte.
   */
  private static final int READ_BYTES = 2 * 1024;

  private static final RecvByteBufAllocator READING =
      new FixedRecvByteBufAllocator(READ_BYTES).maxMessagesPerRead(1);

  /**
   * While so many are not closed, others wait with the kernel: the thread that accepts makes
   * objects faster than the loops come to close those that have gone or given way.
   */
  static final int MAX_UNCLOSED = 2 * MAX;

  private final ConnectionPlaces<Channel> places =
      new ConnectionPlaces<>(MAX, OWN, LingeringClose::end);
  private final VertxInternal vertx;

  /** On the thread that accepts, only. */
  private int unclosed;

  AcceptedConnections(Vertx vertx) {
    this.vertx = (VertxInternal) vertx;
  }

  /**
   * The one server of this process: only now there is what accepts its connections. Each event loop
   * says that it has started.
   */
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
                          && channel.pipeline().get(AcceptedConnections.class) == null) {
                        channel.pipeline().addFirst(this);
                      }
                    }));
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object accepted) {
    Channel connection = (Channel) accepted;
    if (!(connection.remoteAddress() instanceof InetSocketAddress remote)
        || !(connection.localAddress() instanceof InetSocketAddress local)
        || !take(connection, remote.getAddress(), local.getAddress())) {
      connection.unsafe().closeForcibly();
      return;
    }
    count(context.channel(), connection);
    connection.config().setRecvByteBufAllocator(READING);
    connection.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    connection.pipeline().addFirst(new LingeringClose());
    connection.pipeline().addFirst(new Opening());
    context.fireChannelRead(accepted);
  }

  private void count(Channel server, Channel connection) {
    if (++unclosed >= MAX_UNCLOSED) {
      server.config().setAutoRead(false);
    }
    connection
        .closeFuture()
        .addListener(closed -> server.eventLoop().execute(() -> closed(server)));
  }

  private void closed(Channel server) {
    if (--unclosed < MAX_UNCLOSED) {
      server.config().setAutoRead(true);
    }
  }

  /** Before anything is read, and after Vert.x has made its handlers. */
  private static final class Opening extends ChannelInboundHandlerAdapter {
    @Override
    public void channelActive(ChannelHandlerContext context) {
      context.fireChannelActive();
      addTurns(context.channel());
      context.pipeline().remove(this);
    }
  }

  private static void addTurns(Channel connection) {
    if (connection.pipeline().get(IdleConnections.CONNECTION) != null) {
      connection
          .pipeline()
          .addBefore(IdleConnections.CONNECTION, "turns", new RequestTurns())
          .addBefore(IdleConnections.CONNECTION, "heads", new UnreadableHeads());
    }
  }

  private boolean take(Channel connection, InetAddress remote, InetAddress local) {
    if (!places.take(connection, remote, remote.equals(local))) {
      return false;
    }
    connection.closeFuture().addListener(closed -> places.release(connection));
    return true;
  }

  void requested(Channel connection) {
    places.busy(connection);
  }

  void answered(Channel connection) {
    places.answered(connection);
  }
}
