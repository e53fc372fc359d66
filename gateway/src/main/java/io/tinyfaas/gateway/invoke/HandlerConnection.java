package io.tinyfaas.gateway.invoke;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.tinyfaas.gateway.invoke.AnswerParser.MalformedAnswerException;
import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import java.util.ArrayDeque;

/**
 * One connection to a handler: requests go out together at the end of the loop's turn, answers come
 * in their order. On the invocation loop only.
 */
final class HandlerConnection extends ChannelInboundHandlerAdapter
    implements AnswerParser.Receiver {

  private static final int BATCH_BYTES = 4 * 1_024;

  private final HandlerClient client;
  private final Channel channel;
  private final AnswerParser parser = new AnswerParser(this);

  /** In the order of their requests; among them those whose answers nobody waits for any more. */
  private final ArrayDeque<Attempt> unanswered = new ArrayDeque<>();

  private final Handler<ByteBuf> reader = this::read;
  private int awaited;

  /** Requests of this turn; null if there are none yet. */
  private ByteBuf batch;

  /** Bytes of all requests so far, and those of them that the kernel has taken. */
  private long written;

  private long taken;

  private boolean last;
  private boolean exclusive;
  private boolean closed;

  /** When the first of the unanswered became the first, or the connection idle. */
  private long since;

  private long answersBefore;
  private boolean firstIsSlow;

  HandlerConnection(HandlerClient client, Channel channel) {
    this.client = client;
    this.channel = channel;
    this.since = client.nanoTime();
  }

  boolean isIdle() {
    return unanswered.isEmpty();
  }

  boolean isIdleSince(long nanos) {
    return isIdle() && since - nanos < 0;
  }

  /** Whether no requests may be sent any more, once it is idle. */
  boolean isLast() {
    return last;
  }

  /** The requests that it carries. */
  int depth() {
    return unanswered.size();
  }

  /** Whether one of its requests is of this peer, which still waits for the answer. */
  boolean carries(Object peer) {
    for (Attempt attempt : unanswered) {
      if (!attempt.isDone() && attempt.invocation().turn().equals(peer)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether a request may follow those that it carries: not behind one that takes long. That counts
   * against the handler if meanwhile it has answered more than it had before it: else it is only
   * busy.
   */
  boolean isShareable(long now) {
    if (last || exclusive || !channel.isWritable()) {
      return false;
    }
    if (now - since <= Pipelining.SLOW_NANOS) {
      return true;
    }
    long overtaken = client.pipelining().answers() - answersBefore;
    if (!firstIsSlow && overtaken > client.unanswered()) {
      firstIsSlow = true;
      client.pipelining().slow(unanswered.size() > 1);
    }
    return false;
  }

  /**
   * @param alone nothing may follow before it is answered
   * @throws IllegalArgumentException if it cannot be written; nothing has happened then
   */
  void send(Attempt attempt, boolean alone, RequestEncoder encoder) {
    ByteBuf requests = batch == null ? channel.alloc().directBuffer(BATCH_BYTES) : batch;
    int before = requests.writerIndex();
    try {
      encoder.write(attempt.invocation(), requests);
    } catch (IllegalArgumentException e) {
      if (batch == null) {
        requests.release();
      }
      throw e;
    }
    written += requests.writerIndex() - before;
    exclusive = alone;
    if (unanswered.isEmpty()) {
      first(client.nanoTime());
    }
    unanswered.add(attempt);
    awaited++;
    attempt.assigned(this, written);
    if (batch == null) {
      batch = requests;
      client.flushSoon(this);
    }
  }

  private void first(long now) {
    since = now;
    firstIsSlow = false;
    answersBefore = client.pipelining().answers();
  }

  /** Hands the requests of this turn to the kernel. */
  void flush() {
    ByteBuf requests = batch;
    if (requests == null) {
      return;
    }
    batch = null;
    int size = requests.readableBytes();
    requests.retain(); // tells how far it came if writing fails
    channel
        .writeAndFlush(requests)
        .addListener(
            sent -> {
              taken += sent.isSuccess() ? size : requests.readerIndex();
              requests.release();
            });
  }

  /**
   * One of its calls is not waited for any more. HTTP/1.1 can say so only by closing the
   * connection, which has to wait for the others on it; no more come.
   */
  void abandoned() {
    awaited--;
    last = true;
    if (awaited == 0) {
      close();
    }
  }

  void close() {
    close("");
  }

  /** Those that the handler may have begun to run fail, the others may be sent to another. */
  private void close(String why) {
    if (closed) {
      return;
    }
    closed = true;
    last = true;
    parser.stop();
    channel.close();
    if (batch != null) {
      batch.release();
      batch = null;
    }
    client.closed(this);
    for (Attempt attempt : unanswered) {
      if (attempt.endOfRequest() > taken) {
        attempt.notDelivered();
      } else {
        attempt.failed(why);
      }
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    client.context().dispatch((ByteBuf) message, reader);
  }

  private void read(ByteBuf bytes) {
    try {
      parser.read(bytes);
      hold(parser.held());
    } catch (MalformedAnswerException e) {
      close("the function's handler gave no valid HTTP answer: " + e.getMessage());
    } finally {
      bytes.release();
    }
    client.progressed(this);
  }

  /** Of the answer that has begun; what nobody has asked for is not waited for. */
  private void hold(int bytes) {
    Attempt first = unanswered.peekFirst();
    if (first == null) {
      if (bytes > 0) {
        close();
      }
    } else if (!first.isDone()) {
      first.holdUnread(bytes);
      abandonIfDone(first);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    client
        .context()
        .dispatch(
            () -> {
              parser.closed();
              close(
                  "the function's handler closed the connection before its answer was complete:"
                      + " if it ended, GET /functions/NAME says how");
            });
  }

  /** It is about to become inactive. */
  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    channel.close();
  }

  @Override
  public void head(int status, MultiMap headers, long length) {
    Attempt first = unanswered.peekFirst();
    if (first == null) {
      close();
    } else if (!first.isDone()) {
      first.head(status, headers, length, parser.headBytes());
      abandonIfDone(first);
    }
  }

  @Override
  public void body(ByteBuf from, int length) {
    Attempt first = unanswered.peekFirst();
    int end = from.readerIndex() + length;
    if (!first.isDone()) {
      first.body(from, length);
      abandonIfDone(first);
    }
    from.readerIndex(end);
  }

  private void abandonIfDone(Attempt refused) {
    if (refused.isDone()) {
      abandoned();
    }
  }

  @Override
  public void end(boolean kept) {
    Attempt first = unanswered.removeFirst();
    long now = client.nanoTime();
    client.answered(now - since);
    first(now);
    last |= !kept;
    if (!first.isDone()) {
      awaited--;
      first.end();
    }
    if (unanswered.isEmpty()) {
      exclusive = false;
      if (last) {
        close();
      }
    }
  }
}
