package io.tinyfaas.gateway;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;

/**
 * Of one connection, behind the decoder: it has one request, and ends when the kernel has the
 * answer. Vert.x would make objects of all requests that come, and keep all answers until their
 * client takes them, which it need not do.
 */
final class OneRequest extends ChannelDuplexHandler {

  private boolean begun;

  /** Whole; nothing follows it. */
  private boolean received;

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (received || begun && message instanceof HttpRequest) {
      ReferenceCountUtil.release(message);
      return;
    }
    begun = true;
    if (message instanceof LastHttpContent) {
      received = true;
      context.channel().config().setAutoRead(false);
    }
    context.fireChannelRead(message);
  }

  /** Vert.x may want to read on for reasons of its own. */
  @Override
  public void read(ChannelHandlerContext context) {
    if (received) {
      context.channel().config().setAutoRead(false);
    } else {
      context.read();
    }
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    boolean interim =
        message instanceof HttpResponse response
            && response.status().codeClass() == HttpStatusClass.INFORMATIONAL;
    if (message instanceof HttpResponse response && !interim) {
      response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    }
    if (message instanceof LastHttpContent && !interim) {
      ChannelPromise whole = promise.unvoid();
      context.write(message, whole);
      whole.addListener(ChannelFutureListener.CLOSE);
    } else {
      context.write(message, promise);
    }
  }
}
