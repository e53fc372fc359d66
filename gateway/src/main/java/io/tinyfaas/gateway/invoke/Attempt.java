package io.tinyfaas.gateway.invoke;

import io.netty.buffer.ByteBuf;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.BadAnswer;
import io.tinyfaas.gateway.invoke.InvocationResult.BadRequest;
import io.tinyfaas.gateway.invoke.InvocationResult.Overloaded;
import io.vertx.core.MultiMap;
import java.util.Arrays;

/** One request to one handler, until there is a reply. On the invocation loop only. */
final class Attempt {

  /** How one attempt ended. */
  sealed interface Reply {

    /** There is a result. */
    record Final(InvocationResult result) implements Reply {}

    /** The function has certainly not run: no connection, or none that took the request. */
    record NotDelivered() implements Reply {}
  }

  /** Whoever made it, in whose name the memory of the answer is counted. */
  interface Receiver {

    /** Once, unless the attempt is cancelled first. */
    void replied(Reply reply);

    /**
     * @return false if there are not so many bytes for it
     */
    boolean take(long bytes);

    void give(long bytes);
  }

  private static final Reply OVERLOADED = new Reply.Final(new Overloaded());
  private static final Reply NOT_DELIVERED = new Reply.NotDelivered();
  private static final byte[] EMPTY = {};

  private final HandlerClient client;
  private final Invocation invocation;
  private final Receiver receiver;
  private HandlerConnection connection;
  private long endOfRequest;
  private boolean done;

  private int status;
  private MultiMap headers;
  private byte[] body = EMPTY;

  private int filled;

  /** In bytes, what there is besides the body. */
  private long held;

  /** Of that, what the connection has received of the answer and not read yet. */
  private int unread;

  Attempt(HandlerClient client, Invocation invocation, Receiver receiver) {
    this.client = client;
    this.invocation = invocation;
    this.receiver = receiver;
  }

  Invocation invocation() {
    return invocation;
  }

  /**
   * No reply is wanted any more.
   *
   * @return false if there has been one
   */
  boolean cancel() {
    if (done) {
      return false;
    }
    close();
    if (connection == null) {
      client.forget(this);
    } else {
      connection.abandoned();
    }
    return true;
  }

  boolean isDone() {
    return done;
  }

  /**
   * @param end of the request, in bytes of what the connection is to send
   */
  void assigned(HandlerConnection to, long end) {
    connection = to;
    endOfRequest = end;
  }

  long endOfRequest() {
    return endOfRequest;
  }

  /**
   * The answer begins. Refusing it finishes the attempt.
   *
   * @param more bytes that its head takes, beyond what an invocation counts for
   */
  void head(int code, MultiMap fields, long length, long more) {
    status = code;
    headers = fields;
    if (more > 0 && !hold(more)) {
      return;
    }
    if (length > client.maxBody()) {
      refuseTooLarge();
    } else if (length > 0) {
      reserve((int) length);
    }
  }

  /** The next bytes of the answer's body. */
  void body(ByteBuf from, int length) {
    if (length > client.maxBody() - filled) {
      refuseTooLarge();
      return;
    }
    int size = filled + length;
    if (size > body.length
        && !reserve(Math.min(Math.max(2 * body.length, size), client.maxBody()))) {
      return;
    }
    from.readBytes(body, filled, length);
    filled = size;
  }

  /**
   * Counts what has come of the answer and is not read yet. Where there is no room for it the
   * attempt is finished.
   *
   * @param bytes of memory, in all
   */
  void holdUnread(int bytes) {
    hold(bytes - unread);
    unread = done ? 0 : bytes;
  }

  private boolean hold(long more) {
    if (more > 0 && !receiver.take(more)) {
      finish(OVERLOADED);
      return false;
    }
    if (more < 0) {
      receiver.give(-more);
    }
    held += more;
    return true;
  }

  /** The answer is complete. */
  void end() {
    byte[] whole = filled == body.length ? body : Arrays.copyOf(body, filled);
    finish(new Reply.Final(new Answered(status, headers, whole)));
  }

  void notDelivered() {
    finish(NOT_DELIVERED);
  }

  /**
   * @param why in words for the function's author
   */
  void failed(String why) {
    finish(new Reply.Final(new BadAnswer(why)));
  }

  /**
   * @param why in words for the caller's author
   */
  void refused(String why) {
    finish(new Reply.Final(new BadRequest(why)));
  }

  private void refuseTooLarge() {
    failed(
        "the function's answer is larger than " + client.maxBody() + " bytes (TINYFAAS_MAX_BODY)");
  }

  /** Room for so much, counted first. While it grows, what there is exists twice. */
  private boolean reserve(int size) {
    if (!receiver.take(size)) {
      finish(OVERLOADED);
      return false;
    }
    int before = body.length;
    body = Arrays.copyOf(body, size);
    receiver.give(before);
    return true;
  }

  private void finish(Reply reply) {
    if (!done) {
      close();
      receiver.replied(reply);
    }
  }

  private void close() {
    done = true;
    receiver.give(body.length + held);
    held = 0;
    body = EMPTY;
    filled = 0;
  }
}
