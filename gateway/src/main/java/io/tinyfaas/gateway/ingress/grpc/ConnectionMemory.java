package io.tinyfaas.gateway.ingress.grpc;

import static io.netty.handler.codec.http2.Http2Error.ENHANCE_YOUR_CALM;
import static io.netty.handler.codec.http2.Http2Error.REFUSED_STREAM;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2Connection.PropertyKey;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListenerDecorator;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.Holder;

/**
 * What one connection holds for reasons that grpc-java does not bound, counted as bodies are. On
 * the event loop.
 *
 * <p>Frames that the client does not take: HTTP/2's windows bound only the data of answers, and a
 * client that reads nothing may ask for any number of acknowledgements, and of answers that are no
 * more than a status. And frames that a message comes in, each of which is held as it is until the
 * message is whole, though there be nothing in it.
 */
final class ConnectionMemory extends ChannelInboundHandlerAdapter {

  /** More than is written ahead of answers' data. */
  private static final long USUAL_UNTAKEN_BYTES = 128 * 1024;

  /** By what Netty counts, 100 bytes for the smallest frame; there are 300 of objects. */
  private static final int UNTAKEN_COPIES = 3;

  /** Of a frame of data besides what is in it. */
  private static final int FRAME_BYTES = 160;

  /**
   * Of the fields of answers that are remembered so that they come again as numbers (RFC 7541,
   * 4.2). What all of them have fits; a client may offer 4 GiB, and have a description of each
   * failure in it.
   */
  private static final int ANSWER_FIELDS_BYTES = 1_024;

  private final int maxCalls;
  private final CallMemory.Factory calls;
  private final BodyMemory memory;
  private final Holder peer;
  private long untaken;
  private boolean reads;
  private boolean begun;

  /**
   * @param maxCalls at once, which Netty bounds only once the client has acknowledged that bound
   */
  ConnectionMemory(int maxCalls, CallMemory.Factory calls, BodyMemory memory, Holder peer) {
    this.maxCalls = maxCalls;
    this.calls = calls;
    this.memory = memory;
    this.peer = peer;
  }

  /** Whether the client has said what HTTP/2 begins with. */
  boolean hasBegun() {
    return begun;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object read) {
    if (!reads) {
      Http2ConnectionHandler handler = context.pipeline().get(Http2ConnectionHandler.class);
      if (handler != null) {
        reads = true;
        Frames frames = new Frames(handler);
        handler.decoder().frameListener(frames);
        handler.connection().remote().maxActiveStreams(maxCalls);
      }
    }
    context.fireChannelRead(read);
    countUntaken(context);
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    context.fireChannelWritabilityChanged();
    countUntaken(context);
  }

  private void countUntaken(ChannelHandlerContext context) {
    ChannelOutboundBuffer out = context.channel().unsafe().outboundBuffer();
    if (out == null) {
      return; // closed
    }
    long bytes = out.totalPendingWriteBytes();
    long more = (bytes <= USUAL_UNTAKEN_BYTES ? 0 : UNTAKEN_COPIES * bytes) - untaken;
    if (more <= 0) {
      memory.give(-more, peer);
    } else if (!memory.takeMore(more, peer)) {
      context.channel().unsafe().closeForcibly();
      return;
    }
    untaken += more;
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    memory.give(untaken, peer);
    untaken = 0;
    context.fireChannelInactive();
  }

  /** Where there is no room for another, its call is ended. */
  private final class Frames extends Http2FrameListenerDecorator {

    private final Http2Connection connection;
    private final Http2HeadersEncoder.Configuration answers;
    private final PropertyKey held;

    Frames(Http2ConnectionHandler handler) {
      super(handler.decoder().frameListener());
      this.connection = handler.connection();
      this.answers = handler.encoder().configuration().headersConfiguration();
      this.held = connection.newKey();
      connection.addListener(
          new Http2ConnectionAdapter() {
            @Override
            public void onStreamClosed(Http2Stream stream) {
              Integer frames = stream.removeProperty(held);
              memory.give(frames == null ? 0 : FRAME_BYTES * frames.longValue(), peer);
            }
          });
    }

    @Override
    public void onSettingsRead(ChannelHandlerContext context, Http2Settings settings)
        throws Http2Exception {
      begun = true;
      answers.maxHeaderTableSize(Math.min(ANSWER_FIELDS_BYTES, answers.maxHeaderTableSize()));
      super.onSettingsRead(context, settings);
    }

    /** Before anything is made of the call but its stream. */
    @Override
    public void onHeadersRead(
        ChannelHandlerContext context,
        int id,
        Http2Headers headers,
        int dependency,
        short weight,
        boolean exclusive,
        int padding,
        boolean last)
        throws Http2Exception {
      if (calls.isFull()) {
        throw Http2Exception.streamError(id, REFUSED_STREAM, "no memory for further calls");
      }
      calls.comeFrom(peer);
      super.onHeadersRead(context, id, headers, dependency, weight, exclusive, padding, last);
    }

    @Override
    public int onDataRead(
        ChannelHandlerContext context, int id, ByteBuf data, int padding, boolean last)
        throws Http2Exception {
      if (!last) {
        Http2Stream stream = connection.stream(id);
        if (!memory.takeMore(FRAME_BYTES, peer)) {
          throw Http2Exception.streamError(id, ENHANCE_YOUR_CALM, "no memory for its frames");
        }
        Integer frames = stream.getProperty(held);
        stream.setProperty(held, frames == null ? 1 : frames + 1);
      }
      return super.onDataRead(context, id, data, padding, last);
    }
  }
}
