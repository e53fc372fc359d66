package io.tinyfaas.gateway.loop;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.SingleThreadEventLoop;

/**
 * Reads so much of a connection in one turn of the event loop, and then it is the others' turn: a
 * thousand tiny chunks or frames are a few kilobytes, and take the loop as long as a hundred
 * requests. Netty would read up to a megabyte, and what is left as soon as it is at leisure.
 */
public final class FairReads extends ChannelDuplexHandler {

  private static final int READS_PER_TURN = 1;

  /** The last read may have left some. */
  private boolean more;

  private FairReads() {}

  /**
   * @param connection of which nothing has been read
   * @param bytes of it in a turn
   */
  public static void of(Channel connection, int bytes) {
    connection
        .config()
        .setRecvByteBufAllocator(
            new FixedRecvByteBufAllocator(bytes).maxMessagesPerRead(READS_PER_TURN));
    connection.pipeline().addFirst(new FairReads());
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object read) {
    more = !((ByteBuf) read).isWritable();
    context.fireChannelRead(read);
  }

  /** Also what decoders ask for by themselves, where nothing is to be read. */
  @Override
  public void read(ChannelHandlerContext context) {
    if (more) {
      more = false;
      SingleThreadEventLoop loop = (SingleThreadEventLoop) context.channel().eventLoop();
      loop.executeAfterEventLoopIteration(() -> loop.execute(() -> read(context)));
    } else if (context.channel().config().isAutoRead()) {
      context.read();
    }
  }
}
