package io.tinyfaas.manager.api.connection;

import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Of one connection. A client that asks on while it takes no answers is left at once: they would
 * pile up here. All others are told of the end, and what they still send is read for a while:
 * closing at once would reset the connection under the last answer.
 */
final class LingeringClose extends ChannelDuplexHandler {

  private static final Duration FAREWELL = Duration.ofSeconds(2);

  private boolean leaving;

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (leaving) {
      ReferenceCountUtil.release(message);
    } else if (context.channel().isWritable()) {
      context.fireChannelRead(message);
    } else {
      ReferenceCountUtil.release(message);
      end(context.channel());
    }
  }

  /** Passed on to nobody, who would throw away what has been read. */
  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event != ChannelInputShutdownEvent.INSTANCE) {
      context.fireUserEventTriggered(event);
      return;
    }
    ChannelHandlerContext turns = context.pipeline().context(RequestTurns.class);
    if (leaving || turns == null) {
      context.close();
    } else {
      ((RequestTurns) turns.handler()).end(turns);
    }
  }

  @Override
  public void close(ChannelHandlerContext context, ChannelPromise promise) {
    if (leaving
        || !(context.channel() instanceof DuplexChannel channel)
        || !channel.isActive()
        || channel.isInputShutdown()) {
      context.close(promise);
      return;
    }
    leaving = true;
    channel.shutdownOutput();
    channel.config().setAutoRead(true);
    Future<?> farewell =
        context
            .executor()
            .schedule(() -> context.close(promise), FAREWELL.toMillis(), TimeUnit.MILLISECONDS);
    channel.closeFuture().addListener(closed -> farewell.cancel(false));
  }

  /** At once, also where the client does not take what was written: that is thrown away. */
  static void end(Channel connection) {
    connection
        .eventLoop()
        .execute(() -> connection.unsafe().close(connection.unsafe().voidPromise()));
  }
}
