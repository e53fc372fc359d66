package io.tinyfaas.manager.api.connection;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Of one connection: a request is taken when the one before it is answered. Vert.x would make
 * objects of all that come, for as long as they come. Behind the decoder; what it has made of the
 * same piece is held here, and nothing is read meanwhile.
 */
final class RequestTurns extends ChannelDuplexHandler {

  private final Deque<Object> held = new ArrayDeque<>();
  private boolean busy;

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (held.isEmpty() && !(busy && message instanceof HttpRequest)) {
      pass(context, message);
    } else {
      held.add(message);
      context.channel().config().setAutoRead(false);
    }
  }

  private void pass(ChannelHandlerContext context, Object message) {
    busy |= message instanceof HttpRequest;
    context.fireChannelRead(message);
  }

  /** Vert.x may want to read on for reasons of its own. */
  @Override
  public void read(ChannelHandlerContext context) {
    if (held.isEmpty()) {
      context.read();
    } else {
      context.channel().config().setAutoRead(false);
    }
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    boolean last = message instanceof LastHttpContent && !isInterim(message);
    context.write(message, promise);
    if (last) {
      context.executor().execute(() -> takeNext(context));
    }
  }

  private static boolean isInterim(Object message) {
    return message instanceof HttpResponse response
        && response.status().codeClass() == HttpStatusClass.INFORMATIONAL;
  }

  private void takeNext(ChannelHandlerContext context) {
    busy = false;
    if (held.isEmpty() || context.isRemoved()) {
      return;
    }
    while (!held.isEmpty() && !(busy && held.peek() instanceof HttpRequest)) {
      pass(context, held.poll());
    }
    context.fireChannelReadComplete();
    if (held.isEmpty()) {
      context.channel().config().setAutoRead(true);
    }
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    held.forEach(ReferenceCountUtil::release);
    held.clear();
  }
}
