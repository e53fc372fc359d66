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
 *
 * <p>A client that has sent all that it will send, and says so by closing its side, gets its
 * answers. One whose answer has begun and goes on is as well one that has gone, such as a follower
 * of a log that says nothing: it is left.
 */
final class RequestTurns extends ChannelDuplexHandler {

  private final Deque<Object> held = new ArrayDeque<>();
  private boolean busy;

  /** Of the request at hand, more is to come; of its answer, more is to go. */
  private boolean receiving;

  private boolean answering;

  /** Answers that are whole, and not yet with the kernel. */
  private int unwritten;

  /** Nothing follows what has come. */
  private boolean over;

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
    receiving = !(message instanceof LastHttpContent);
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
    answering = !last && (answering || message instanceof HttpResponse && !isInterim(message));
    if (!last) {
      context.write(message, promise);
      return;
    }
    unwritten++;
    ChannelPromise whole = promise.unvoid();
    context.write(message, whole);
    whole.addListener(written -> written(context));
    context.executor().execute(() -> takeNext(context));
  }

  private void written(ChannelHandlerContext context) {
    unwritten--;
    closeIfOver(context);
  }

  private static boolean isInterim(Object message) {
    return message instanceof HttpResponse response
        && response.status().codeClass() == HttpStatusClass.INFORMATIONAL;
  }

  private void takeNext(ChannelHandlerContext context) {
    busy = false;
    if (held.isEmpty() || context.isRemoved()) {
      closeIfOver(context);
      return;
    }
    while (!held.isEmpty() && !(busy && held.peek() instanceof HttpRequest)) {
      pass(context, held.poll());
    }
    context.fireChannelReadComplete();
    if (held.isEmpty()) {
      context.channel().config().setAutoRead(true);
      closeIfOver(context);
    }
  }

  /** To be called when nothing follows what has come. */
  void end(ChannelHandlerContext context) {
    over = true;
    if (answering) {
      context.close();
    } else {
      closeIfOver(context);
    }
  }

  private void closeIfOver(ChannelHandlerContext context) {
    if (over && unwritten == 0 && (!busy || receiving)) {
      context.close();
    }
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    held.forEach(ReferenceCountUtil::release);
    held.clear();
  }
}
