package io.tinyfaas.gateway.ingress.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.util.AsciiString;
import io.tinyfaas.gateway.loop.FairReads;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.Holder;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.impl.VertxHttpRequestDecoder;
import io.vertx.core.net.impl.ConnectionBase;
import java.util.List;

/**
 * Reads requests as Vert.x does, one at a time: of those that are pipelined, the next is not read
 * before the one at hand is answered, while Vert.x would make objects of all. What has come of them
 * waits as it is, and the rest in TCP's window.
 *
 * <p>Vert.x bounds the bytes of a head only: of empty fields that is thousands, each with objects
 * of a hundred bytes, which are there before the head is complete. What is there until then is
 * counted as bodies are, and so are bytes that wait; where there is no room for it, the connection
 * is closed.
 *
 * <p>A client that has sent all that it will send, and says so by closing its side, is answered all
 * that was whole by then. Nobody can tell it from one that has gone, so this is also how long the
 * connection of such a one is there.
 */
final class RequestDecoder extends VertxHttpRequestDecoder {

  /** Fewer than a handler takes, as the gateway adds its own. */
  static final int MAX_FIELDS = 90;

  /** Some 700 chunks of a byte, which take half a millisecond. */
  private static final int READ_BYTES = 4 * 1024;

  private final Heads heads;
  private final Holder peer;
  private final Channel connection;
  private int fields;

  /** Of those, the ones that whoever got them counts. */
  private int passedOn;

  private long letters;
  private long taken;

  /** A request is whole, and its answer not sent. */
  private boolean busy;

  /** Of the requests behind it, in bytes, while nothing more is read. */
  private int waiting;

  private ChannelHandlerContext held;

  /** Nothing follows what has come. */
  private boolean over;

  private RequestDecoder(HttpServerOptions options, Channel connection, Heads heads, Holder peer) {
    super(options);
    this.connection = connection;
    this.heads = heads;
    this.peer = peer;
  }

  /**
   * What heads take that are not complete, and requests that wait, on all connections: a quarter of
   * the memory at most, so that whoever sends such leaves room for the requests of others.
   */
  static final class Heads {

    private static final int FRACTION = 4;

    private final BodyMemory memory;
    private final BodyMemory share;

    Heads(BodyMemory memory) {
      this.memory = memory;
      this.share = new BodyMemory(memory.size() / FRACTION);
    }

    private boolean take(long bytes, Holder peer) {
      if (!share.take(bytes)) {
        return false;
      }
      if (!memory.takeMore(bytes, peer)) {
        share.give(bytes);
        return false;
      }
      return true;
    }

    private void give(long bytes, Holder peer) {
      share.give(bytes);
      memory.give(bytes, peer);
    }
  }

  /** On a connection of which nothing has been read. */
  static RequestDecoder decode(
      HttpConnection connection, HttpServerOptions options, Heads heads, Holder peer) {
    Channel channel = ((ConnectionBase) connection).channel();
    RequestDecoder decoder = new RequestDecoder(options, channel, heads, peer);
    channel.pipeline().replace(VertxHttpRequestDecoder.class, "httpDecoder", decoder);
    FairReads.of(channel, READ_BYTES);
    channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    return decoder;
  }

  /**
   * The answer is sent: the next request may be read. Later than at once where it has come already:
   * Vert.x has still to finish the answer.
   */
  void next() {
    if (held == null) {
      busy = false;
      closeIfOver();
    } else {
      held.executor().execute(this::goOn);
    }
  }

  /** Passed on to nobody, who would throw away what waits. */
  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) throws Exception {
    if (event == ChannelInputShutdownEvent.INSTANCE) {
      over = true;
      closeIfOver();
    } else {
      super.userEventTriggered(context, event);
    }
  }

  /** Of a request that is not whole, the rest will not come. */
  private void closeIfOver() {
    if (over && !busy) {
      connection.close();
    }
  }

  private void goOn() {
    busy = false;
    ChannelHandlerContext context = held;
    held = null;
    heads.give(waiting, peer);
    waiting = 0;
    if (context.isRemoved()) {
      return;
    }
    try {
      channelRead(context, Unpooled.EMPTY_BUFFER); // what has come already is read again
      channelReadComplete(context);
    } catch (Exception e) {
      context.fireExceptionCaught(e);
    }
    if (held == null) {
      context.channel().config().setAutoRead(true);
      closeIfOver();
    }
  }

  /** Nothing of it is read now, and nothing more from the connection. */
  private void hold(ChannelHandlerContext context, ByteBuf in) {
    int more = in.readableBytes() - waiting;
    if (!heads.take(more, peer)) {
      context.close();
      return;
    }
    waiting += more;
    held = context;
    context.channel().config().setAutoRead(false);
  }

  @Override
  protected HttpMessage createMessage(String[] initialLine) {
    fields = 0;
    passedOn = 0;
    return super.createMessage(initialLine);
  }

  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out)
      throws Exception {
    if (busy) {
      hold(context, in);
      return;
    }
    int before = in.readableBytes();
    super.decode(context, in, out);
    if (!out.isEmpty()) {
      release();
      busy = out.getLast() instanceof LastHttpContent;
      return;
    }
    letters += before - in.readableBytes();
    long more = BodyMemory.ofHeaders(fields - passedOn, letters) - taken;
    if (heads.take(more, peer)) {
      taken += more;
    } else {
      context.close();
    }
  }

  private void release() {
    heads.give(taken, peer);
    taken = 0;
    letters = 0;
    passedOn = fields;
  }

  @Override
  protected void handlerRemoved0(ChannelHandlerContext context) throws Exception {
    release();
    heads.give(waiting, peer);
    waiting = 0;
    super.handlerRemoved0(context);
  }

  /** Of each header and each trailer. */
  @Override
  protected AsciiString splitHeaderName(byte[] line, int start, int length) {
    if (++fields > MAX_FIELDS) {
      throw new TooLongHttpHeaderException("A request has at most " + MAX_FIELDS + " fields.");
    }
    if (length == 0) {
      throw new IllegalArgumentException("a field without a name");
    }
    return super.splitHeaderName(line, start, length);
  }
}
