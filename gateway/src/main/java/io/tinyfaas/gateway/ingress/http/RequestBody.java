package io.tinyfaas.gateway.ingress.http;

import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.Holder;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.util.function.Consumer;

/** The body of a request as it arrives: bounded, and counted before it is held, with its head. */
final class RequestBody {

  /** A buffer that grows is there twice while it does, and so is a body that is copied. */
  private static final int COPIES = 2;

  /** How it ended. If the client leaves, it does not. */
  sealed interface Received {

    record Whole(byte[] bytes) implements Received {}

    record TooLarge() implements Received {}

    /** No memory is left for it. */
    record NoRoom() implements Received {}
  }

  private final HttpServerRequest request;
  private final long head;
  private final int maxBody;
  private final BodyMemory memory;
  private final Holder peer;
  private final Consumer<Received> receiver;
  private Buffer received;
  private long taken;
  private boolean done;

  /**
   * @param head what that takes, in bytes
   * @param peer for whom it is counted
   * @param receiver is told once, while nothing is counted any more
   */
  RequestBody(
      HttpServerRequest request,
      long head,
      int maxBody,
      BodyMemory memory,
      Holder peer,
      Consumer<Received> receiver) {
    this.request = request;
    this.head = head;
    this.maxBody = maxBody;
    this.memory = memory;
    this.peer = peer;
    this.receiver = receiver;
  }

  /** To be called before the request's handler has returned. */
  void receive() {
    if (isDeclaredTooLarge()) {
      finish(new Received.TooLarge());
      return;
    }
    if (!memory.take(head, peer)) {
      finish(new Received.NoRoom());
      return;
    }
    taken = head;
    request.handler(this::chunk);
    request.exceptionHandler(left -> abandon());
    request.endHandler(
        end -> finish(new Received.Whole(received == null ? new byte[0] : received.getBytes())));
    if (HttpRequests.isExpecting(request)) {
      request.response().writeContinue();
    }
  }

  /** Nothing of it is wanted any more, and nobody is told. */
  void abandon() {
    done = true;
    received = null;
    memory.give(taken, peer);
    taken = 0;
  }

  private boolean isDeclaredTooLarge() {
    String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
    try {
      return length != null && Long.parseLong(length) > maxBody;
    } catch (NumberFormatException e) {
      return true; // more digits than any body; what is no number, Netty has refused
    }
  }

  private void chunk(Buffer chunk) {
    if (done) {
      return;
    }
    int size = chunk.length() + (received == null ? 0 : received.length());
    long more = COPIES * (long) chunk.length();
    if (size > maxBody) {
      finish(new Received.TooLarge());
    } else if (!memory.take(more, peer)) {
      finish(new Received.NoRoom());
    } else {
      taken += more;
      received = received == null ? chunk.copy() : received.appendBuffer(chunk);
    }
  }

  private void finish(Received how) {
    if (!done) {
      abandon();
      receiver.accept(how);
    }
  }
}
