package io.tinyfaas.gateway.invoke;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.vertx.core.MultiMap;
import java.nio.charset.StandardCharsets;

/**
 * Reads the HTTP/1.1 answers of one connection (RFC 9112), in whatever pieces they come. Stricter
 * than it has to be: what two readers could understand in two ways is refused, since the next
 * answer on the connection is another device's. Interim answers are passed over. What a head and a
 * line of a chunked body may take is bounded, and so is all that is no answer's content: by an
 * endless row of it one function would take the loop from all.
 */
final class AnswerParser {

  /** The length of a body that does not say it. */
  static final long UNKNOWN = -1;

  /** A status line with its headers, or all trailers. */
  private static final int MAX_HEAD_BYTES = HandlerHttp.MAX_HEAD_BYTES;

  private static final int SHORT_HEAD_BYTES = 1_024;

  private static final int MAX_CHUNK_LINE_BYTES = 256;

  /** Before one answer; a server has no use for more than one or two. */
  private static final int MAX_INTERIM_ANSWERS = 8;

  /** Of lines around chunks: these, and so many for each byte in them. */
  private static final int MAX_CHUNKING_BYTES = 16 * 1_024;

  private static final int MAX_CHUNKING_PER_BYTE = 8;

  /** CR and LF, before and after the chunk. */
  private static final int CHUNK_LINE_ENDS = 4;

  /** What comes, in this order; any of them may {@link #stop()} the parser. */
  interface Receiver {

    /**
     * @param headers shared with other answers: not to be changed
     * @param length of the body in bytes, or {@link #UNKNOWN}
     */
    void head(int status, MultiMap headers, long length);

    /** The next bytes of the body: to be read now, all of them. */
    void body(ByteBuf from, int length);

    /**
     * @param kept whether another answer may follow
     */
    void end(boolean kept);
  }

  /** What an answer that has only begun violates. */
  static final class MalformedAnswerException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedAnswerException(String why) {
      super(why, null, false, false);
    }
  }

  private enum State {
    HEAD,
    BODY,
    CHUNK_SIZE,
    CHUNK,
    CHUNK_END,
    TRAILER,
    UNTIL_CLOSED,
    STOPPED
  }

  private final Receiver receiver;
  private State state = State.HEAD;

  /** What came of a head or a line that is not complete yet; null if nothing. */
  private ByteBuf begun;

  /** Functions mostly answer with one and the same head, which then is read once if it is short. */
  private AnswerHead last;

  private long remaining;
  private int trailerBytes;
  private int interimAnswers;
  private long chunkingBytes;

  /** Of what has begun, from its start: there the end that is looked for is not. */
  private int searched;

  AnswerParser(Receiver receiver) {
    this.receiver = receiver;
  }

  /** Nothing more is read. */
  void stop() {
    state = State.STOPPED;
    begun = null;
  }

  /** What the head takes that was read last, beyond what is usual, in bytes of memory. */
  long headBytes() {
    return last.held();
  }

  /** What has come and is no whole piece yet, in bytes of memory. */
  int held() {
    return begun == null ? 0 : begun.capacity();
  }

  /** Reads what has come; what of it is no whole piece is kept until more comes. */
  void read(ByteBuf from) throws MalformedAnswerException {
    ByteBuf in = from;
    if (begun != null) {
      in = begun.writeBytes(from);
      begun = null;
    }
    while (in.isReadable() && step(in)) {
      // one piece after the other
    }
    if (in.isReadable() && state != State.STOPPED) {
      begun = in == from ? Unpooled.buffer(2 * in.readableBytes()).writeBytes(in) : in;
      begun.discardReadBytes();
    }
  }

  /** The handler has closed the connection: for some answers that is their end. */
  void closed() {
    if (state == State.UNTIL_CLOSED) {
      end(false);
    }
  }

  /**
   * @return false if more has to come first
   */
  private boolean step(ByteBuf in) throws MalformedAnswerException {
    return switch (state) {
      case HEAD -> head(in);
      case BODY -> {
        if (body(in)) {
          end(last.kept());
        }
        yield true;
      }
      case CHUNK_SIZE -> chunkSize(in);
      case CHUNK -> {
        if (body(in)) {
          become(State.CHUNK_END);
        }
        yield true;
      }
      case CHUNK_END -> {
        int end = lineEnd(in, 2);
        if (end > 0) {
          throw new MalformedAnswerException("a chunk is longer than its size");
        }
        yield end == 0 && skipLine(in, end) && become(State.CHUNK_SIZE);
      }
      case TRAILER -> trailer(in);
      case UNTIL_CLOSED -> {
        receiver.body(in, in.readableBytes());
        yield true;
      }
      case STOPPED -> false;
    };
  }

  /** Not back from {@link State#STOPPED}. */
  private boolean become(State next) {
    if (state != State.STOPPED) {
      state = next;
    }
    return true;
  }

  private boolean head(ByteBuf in) throws MalformedAnswerException {
    if (last == null || !last.isNextIn(in)) {
      int length = headLength(in);
      if (length < 0) {
        return false;
      }
      last = AnswerHead.parse(ByteBufUtil.getBytes(in, in.readerIndex(), length));
    }
    searched = 0;
    in.skipBytes(last.bytes());
    if (last.isInterim()) {
      if (++interimAnswers > MAX_INTERIM_ANSWERS) {
        throw new MalformedAnswerException(
            "more than " + MAX_INTERIM_ANSWERS + " interim answers (1xx) come before it");
      }
      return true;
    }
    interimAnswers = 0;
    chunkingBytes = 0;
    remaining = last.contentLength();
    boolean empty = remaining == 0;
    receiver.head(last.status(), last.headers(), remaining);
    if (empty) {
      end(last.kept());
    } else if (last.chunked()) {
      become(State.CHUNK_SIZE);
    } else {
      become(remaining == UNKNOWN ? State.UNTIL_CLOSED : State.BODY);
    }
    return true;
  }

  /**
   * @return -1 if its end has not come yet
   */
  private int headLength(ByteBuf in) throws MalformedAnswerException {
    int start = in.readerIndex();
    int stop = Math.min(in.writerIndex(), start + MAX_HEAD_BYTES);
    int at = Math.min(start + searched, stop);
    while (true) {
      int end = in.indexOf(at, stop, (byte) '\n');
      if (end < 0) {
        break;
      }
      if (end - start >= 3
          && in.getByte(end - 1) == '\r'
          && in.getByte(end - 2) == '\n'
          && in.getByte(end - 3) == '\r') {
        return end + 1 - start;
      }
      at = end + 1;
    }
    if (in.readableBytes() >= MAX_HEAD_BYTES) {
      throw new MalformedAnswerException("its headers take more than " + MAX_HEAD_BYTES + " bytes");
    }
    searched = stop - start;
    return -1;
  }

  /**
   * @return whether that was all of it
   */
  private boolean body(ByteBuf in) {
    int length = (int) Math.min(remaining, in.readableBytes());
    remaining -= length;
    receiver.body(in, length);
    return remaining == 0;
  }

  private boolean chunkSize(ByteBuf in) throws MalformedAnswerException {
    int end = lineEnd(in, MAX_CHUNK_LINE_BYTES);
    if (end < 0) {
      return false;
    }
    String line = in.toString(in.readerIndex(), end, StandardCharsets.ISO_8859_1);
    int extension = line.indexOf(';');
    String size = (extension < 0 ? line : line.substring(0, extension)).stripTrailing();
    remaining = 0;
    for (int i = 0; i < size.length(); i++) {
      int digit = Character.digit(size.charAt(i), 16);
      if (digit < 0 || i == 8) {
        throw new MalformedAnswerException("a chunk's size is not a hexadecimal number");
      }
      remaining = remaining << 4 | digit;
    }
    if (size.isEmpty()) {
      throw new MalformedAnswerException("a chunk has no size");
    }
    chunkingBytes += end + CHUNK_LINE_ENDS - MAX_CHUNKING_PER_BYTE * remaining;
    if (chunkingBytes > MAX_CHUNKING_BYTES) {
      throw new MalformedAnswerException("its chunks are next to nothing but lines around them");
    }
    trailerBytes = 0;
    return skipLine(in, end) && become(remaining == 0 ? State.TRAILER : State.CHUNK);
  }

  /** Trailers are passed over (RFC 9110, 6.5.1); the line that is empty ends the answer. */
  private boolean trailer(ByteBuf in) throws MalformedAnswerException {
    int end = lineEnd(in, MAX_HEAD_BYTES);
    if (end < 0) {
      return false;
    }
    skipLine(in, end);
    trailerBytes += end + 2;
    if (trailerBytes > MAX_HEAD_BYTES) {
      throw new MalformedAnswerException(
          "its trailers take more than " + MAX_HEAD_BYTES + " bytes");
    }
    if (end == 0) {
      end(last.kept());
    }
    return true;
  }

  private void end(boolean kept) {
    if (state != State.STOPPED) {
      state = State.HEAD;
      if (last.bytes() > SHORT_HEAD_BYTES) {
        last = null;
      }
      receiver.end(kept);
    }
  }

  /**
   * @return the bytes before the line's end, -1 if that has not come yet
   */
  private int lineEnd(ByteBuf in, int max) throws MalformedAnswerException {
    int start = in.readerIndex();
    int end = in.indexOf(start + searched, in.writerIndex(), (byte) '\n');
    if ((end < 0 ? in.readableBytes() : end - start) > max) {
      throw new MalformedAnswerException("a line of its chunks is longer than " + max + " bytes");
    }
    if (end < 0) {
      searched = in.readableBytes();
      return -1;
    }
    searched = 0;
    if (end == start || in.getByte(end - 1) != '\r') {
      throw new MalformedAnswerException("a line of its chunks does not end with CR and LF");
    }
    return end - 1 - start;
  }

  private static boolean skipLine(ByteBuf in, int length) {
    in.skipBytes(length + 2);
    return true;
  }
}
