package io.tinyfaas.runtime.http;

import io.tinyfaas.function.Response;
import io.tinyfaas.function.Serving;
import io.tinyfaas.runtime.load.LoadedFunction;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;

/** Serves one connection on its own virtual thread: read a request, call, answer, again. */
final class HttpConnection implements Runnable {

  private enum State {
    /** No byte of a next request is here, so it may be closed. */
    IDLE,
    BUSY,
    CLOSED
  }

  /**
   * What is read and thrown away after a refusal, in bytes, so that the peer gets to its answer.
   */
  private static final int MAX_DISCARDED = 16 * 1024 * 1024;

  private final Peer peer;
  private final HttpServer server;
  private final LoadedFunction function;
  private final ReceivedBytes received;
  private final RequestHead head;
  private final RequestBody body;
  private final ResponseWriter writer;
  private final AtomicReference<State> state = new AtomicReference<>(State.IDLE);

  HttpConnection(Peer peer, HttpServer server, LoadedFunction function, int maxBody) {
    this.peer = peer;
    this.server = server;
    this.function = function;
    this.received = new ReceivedBytes(peer);
    this.head = new RequestHead(received);
    this.body = new RequestBody(received, maxBody);
    this.writer = new ResponseWriter(peer);
  }

  @Override
  public void run() {
    try {
      while (awaitRequest() && exchange()) {}
      peer.flush();
    } catch (RefusedRequest refused) {
      refuse(refused);
    } catch (IOException e) {
      // The peer is gone, or was closed for being slow: there is nobody to tell.
    } catch (OutOfMemoryError e) {
      server.memoryRanOut();
    } finally {
      peer.close();
      server.ended(this);
    }
  }

  /** Called by another thread. Closes the connection unless it has a request in hand. */
  void closeIfIdle() {
    if (state.compareAndSet(State.IDLE, State.CLOSED)) {
      peer.close();
    }
  }

  /** Called by another thread. Ends a request whose peer neither sends nor receives. */
  void closeIfStalled(long nanos) {
    if (peer.hasWaitedFor(nanos)) {
      peer.close();
    }
  }

  /**
   * Called by another thread, which does not wait for the peer: the answers go out on their own.
   */
  void sendIfHeldFor(long nanos) {
    if (peer.hasHeldFor(nanos)) {
      server.start(this::flush);
    }
  }

  /** Called by another thread. */
  boolean isHolding() {
    return peer.isHolding();
  }

  private void flush() {
    try {
      peer.flush();
    } catch (IOException e) {
      // The connection's own thread finds out, too.
    }
  }

  private boolean awaitRequest() throws IOException {
    if (!received.isEmpty()) {
      if (peer.isHolding()) {
        server.answersAreHeld();
      }
      return true;
    }
    peer.flush();
    state.set(State.IDLE);
    // Asked after the state is set: whoever stops the server looks at them in the opposite order.
    if (server.isStopping()) {
      return false;
    }
    return received.awaitFirst() && state.compareAndSet(State.IDLE, State.BUSY);
  }

  /**
   * @return whether the connection goes on
   */
  private boolean exchange() throws IOException, RefusedRequest {
    head.read();
    if (head.awaitsContinue()) {
      body.checkLength(head);
      writer.writeContinue();
    }
    body.read(head);
    boolean close = head.isLastOnConnection();
    switch (head.route()) {
      case INVOKE -> invoke(close);
      case HEALTH -> writer.writeEmpty(200, close);
      case UNKNOWN -> writer.writeEmpty(404, close);
    }
    body.forget();
    return !close;
  }

  /** Whatever a function throws, errors included, is its answer; the handler lives on. */
  private void invoke(boolean close) throws IOException {
    if (Serving.isNeeded()) {
      Serving.begin(head.fields(Serving.PASSED_ON));
    }
    Object result;
    try {
      result = checked(function.function().apply(argument()));
    } catch (Throwable thrown) {
      Thread.interrupted();
      fail(thrown, close);
      return;
    }
    // A function that interrupted its thread would close the channel with the next read.
    Thread.interrupted();
    switch (result) {
      case String text -> writer.writeText(text, close);
      case byte[] bytes -> writer.writeBytes(bytes, close);
      case Response response -> writer.write(response, close);
      case null, default -> writer.writeEmpty(200, close);
    }
  }

  private Object argument() {
    return switch (function.input()) {
      case TEXT -> body.asText();
      case BYTES -> body.asBytes();
      case REQUEST -> head.toRequest(body.asBytes());
    };
  }

  /** A class compiled with raw types can answer anything. */
  private static Object checked(Object result) {
    return switch (result) {
      case null -> null;
      case String text -> text;
      case byte[] bytes -> bytes;
      case Response response -> response;
      default ->
          throw new ClassCastException(
              "a function answers a String, byte[] or Response, not a "
                  + result.getClass().getName());
    };
  }

  private void fail(Throwable thrown, boolean close) throws IOException {
    writer.writeError(500, describe(thrown), close);
    try {
      thrown.printStackTrace();
    } catch (Throwable broken) {
      System.err.println(thrown.getClass().getName() + ", which cannot be printed");
    }
    if (thrown instanceof OutOfMemoryError) {
      peer.flush();
      server.memoryRanOut();
    }
  }

  /** The message comes from the function's own code, which may throw as well. */
  private static String describe(Throwable thrown) {
    try {
      String message = thrown.getMessage();
      if (thrown instanceof NoClassDefFoundError || thrown instanceof ClassNotFoundException) {
        return thrown.toString(); // the message may be the class's name and nothing else
      }
      return message == null || message.isBlank() ? thrown.getClass().getSimpleName() : message;
    } catch (Throwable broken) {
      return thrown.getClass().getSimpleName();
    }
  }

  /**
   * Closing a connection with unread bytes in it would reset it, and the peer lose the answer (RFC
   * 9112, section 9.6).
   */
  private void refuse(RefusedRequest refused) {
    try {
      writer.writeError(refused.status(), refused.getMessage(), true);
      peer.endAnswers();
      byte[] scratch = new byte[8 * 1024];
      int discarded = 0;
      while (discarded < MAX_DISCARDED) {
        int count = peer.read(scratch, 0, scratch.length);
        if (count < 0) {
          return;
        }
        discarded += count;
      }
    } catch (IOException e) {
      // The peer did not wait for it.
    }
  }
}
