package io.tinyfaas.gateway.ingress.http;

import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.Holder;
import io.tinyfaas.gateway.result.LastResult;
import io.tinyfaas.gateway.result.Resource;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The states of one resource as one client is told them. Nothing is queued: while it has not taken
 * what was written, the newest state waits, and what was between is never written. On the event
 * loop.
 */
final class EventStream {

  /** The state as it came, and once as the kernel takes it. */
  private static final int COPIES = 2;

  /** Proxies end connections that are silent for longer, many after 30 s. */
  private static final long SILENT_NANOS = Duration.ofSeconds(15).toNanos();

  private static final Buffer COMMENT = Buffer.buffer(":\n\n");

  private final Resource resource;
  private final Object place;
  private final Holder peer;
  private final Out out;
  private final BodyMemory memory;
  private final Supplier<Optional<LastResult>> newest;

  /** The ETag of what the client has. */
  private String told;

  private boolean due = true;
  private boolean writing;
  private Optional<String> farewell = Optional.empty();
  private boolean ended;
  private long written = System.nanoTime();

  /** Where it goes. */
  record Out(
      HttpServerResponse response,
      HttpConnection connection,
      HttpConnections connections,
      Duration sendTimeout) {}

  /**
   * @param peer for whom what is written counts until the client has taken it
   * @param newest state of the resource
   * @param told the ETag of what the client has; null for nothing
   */
  EventStream(
      Resource resource,
      Object place,
      Holder peer,
      Out out,
      BodyMemory memory,
      Supplier<Optional<LastResult>> newest,
      String told) {
    this.resource = resource;
    this.place = place;
    this.peer = peer;
    this.out = out;
    this.memory = memory;
    this.newest = newest;
    this.told = told;
  }

  Resource resource() {
    return resource;
  }

  /** Whose place it has. */
  Object place() {
    return place;
  }

  /**
   * @param first what it begins with
   */
  void begin(Buffer first) {
    write(first, 0);
  }

  /** There may be another state. */
  void tell() {
    due = true;
    proceed();
  }

  /** After what the client is still to take; then the connection is closed. */
  void end(String why) {
    farewell = Optional.of(why);
    proceed();
  }

  /**
   * What had no room is tried again; who has heard nothing for long, hears that there is nothing.
   */
  void tick() {
    proceed();
    if (!writing && !ended && System.nanoTime() - written >= SILENT_NANOS) {
      write(COMMENT, 0);
    }
  }

  private void proceed() {
    if (writing || ended) {
      return;
    }
    Optional<LastResult> state = due ? newest.get() : Optional.empty();
    if (state.isPresent() && !state.get().etag().equals(told)) {
      long held = COPIES * EventText.bytes(state.get());
      if (memory.takeMore(held, peer)) {
        due = false;
        told = state.get().etag();
        write(EventText.of(state.get()), held);
        return;
      }
      if (farewell.isEmpty()) {
        return;
      }
    }
    due = false;
    if (farewell.isPresent()) {
      ended = true;
      writing = true;
      out.connections().expect(out.connection(), out.sendTimeout());
      out.response().end(EventText.end(farewell.get())).onComplete(end -> out.connection().close());
    }
  }

  private void write(Buffer text, long held) {
    writing = true;
    out.connections().expect(out.connection(), out.sendTimeout());
    out.response()
        .write(text)
        .onComplete(
            taken -> {
              writing = false;
              written = System.nanoTime();
              memory.give(held, peer);
              if (taken.succeeded()) {
                out.connections().busy(out.connection(), this); // which is never too late
                proceed();
              }
            });
  }
}
