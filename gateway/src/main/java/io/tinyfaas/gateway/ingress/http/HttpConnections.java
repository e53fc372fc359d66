package io.tinyfaas.gateway.ingress.http;

import io.netty.channel.Channel;
import io.tinyfaas.gateway.loop.BugLog;
import io.tinyfaas.gateway.memory.Places;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.net.impl.ConnectionBase;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;

/**
 * The connections that are open: how many there may be, and until when a client has to have done
 * what is its turn. On the event loop only, but for {@link #count}.
 */
final class HttpConnections {

  private static final BugLog BUGS =
      new BugLog(Logger.getLogger(HttpConnections.class), "http-deadline-failed");

  private static final long NEVER = Long.MAX_VALUE;

  private static final class Open {
    private final HttpConnection connection;
    private final HttpPeer peer;
    private final RequestDecoder decoder;
    private long deadline = NEVER;
    private Runnable late;
    private boolean ending;
    private Object current;

    Open(HttpConnection connection, HttpPeer peer, RequestDecoder decoder) {
      this.connection = connection;
      this.peer = peer;
      this.decoder = decoder;
    }

    void expect(Duration within, Runnable late) {
      this.deadline = System.nanoTime() + within.toNanos();
      this.late = late;
    }

    /**
     * Also where the client does not take what was written: that is thrown away, while a close by
     * way of Vert.x would wait until it is taken.
     */
    void close() {
      Channel.Unsafe channel = ((ConnectionBase) connection).channel().unsafe();
      channel.close(channel.voidPromise());
    }
  }

  private final Places<Object> places;
  private final int maxOfPeer;
  private final AtomicInteger count = new AtomicInteger();
  private final Map<HttpConnection, Open> all = new HashMap<>();

  /** Those without a request at hand, the one that has waited longest first. */
  private final Set<Open> waiting = new LinkedHashSet<>();

  /**
   * @param maxOfPeer how many one peer has at most
   */
  HttpConnections(int max, int maxOfPeer) {
    this.places = new Places<>(max);
    this.maxOfPeer = maxOfPeer;
  }

  /**
   * A new one. Where there is no place for it, it takes that of the one that has waited longest: of
   * this peer if it has any, as it has its share then; if none waits, it is closed itself.
   */
  void opened(
      HttpConnection connection, HttpPeer peer, RequestDecoder decoder, Duration headerTimeout) {
    Open open = new Open(connection, peer, decoder);
    Object place = peer.place();
    if (places.has(place) >= maxOfPeer || !places.take(place)) {
      Open longest = waitingLongest(place);
      if (longest == null) {
        open.close();
        return;
      }
      remove(longest.connection);
      longest.close();
      places.takeFreed(place);
    }
    all.put(connection, open);
    count.set(all.size());
    connection.closeHandler(closed -> remove(connection));
    waitForRequest(open, headerTimeout);
  }

  private Open waitingLongest(Object place) {
    boolean any = places.has(place) == 0;
    return waiting.stream()
        .filter(open -> any || open.peer.place().equals(place))
        .findFirst()
        .orElse(null);
  }

  /** Whose it is; null if it is open no more. */
  HttpPeer peer(HttpConnection connection) {
    Open open = all.get(connection);
    return open == null ? null : open.peer;
  }

  /** Whether one of this peer has a request at hand. */
  boolean isBusy(HttpPeer peer) {
    return all.values().stream().anyMatch(open -> open.peer == peer && !waiting.contains(open));
  }

  private void remove(HttpConnection connection) {
    Open open = all.remove(connection);
    if (open != null) {
      places.give(open.peer.place());
      waiting.remove(open);
      count.set(all.size());
    }
  }

  /** How many are open. On any thread. */
  int count() {
    return count.get();
  }

  /** No further request is taken on it: what follows may be a part of what was refused. */
  void end(HttpConnection connection) {
    Open open = all.get(connection);
    if (open != null) {
      open.ending = true;
    }
  }

  boolean isEnding(HttpConnection connection) {
    Open open = all.get(connection);
    return open == null || open.ending;
  }

  /** An exchange is at hand; nothing is expected of the client until it is said. */
  void busy(HttpConnection connection, Object exchange) {
    Open open = all.get(connection);
    if (open != null) {
      waiting.remove(open);
      open.current = exchange;
      open.deadline = NEVER;
    }
  }

  /**
   * @param late what happens, once, if it takes longer; the connection stays open
   */
  void expect(HttpConnection connection, Duration within, Runnable late) {
    Open open = all.get(connection);
    if (open != null) {
      open.expect(within, late);
    }
  }

  /** As {@link #expect}; if it takes longer, the connection is closed. */
  void expect(HttpConnection connection, Duration within) {
    Open open = all.get(connection);
    if (open != null) {
      open.expect(within, open::close);
    }
  }

  /** An exchange is done, and another may follow. */
  void waitForNext(HttpConnection connection, Object exchange, Duration idleTimeout) {
    Open open = all.get(connection);
    if (open != null && open.current == exchange) {
      waitForRequest(open, idleTimeout);
      open.decoder.next();
    }
  }

  /** Nothing that is written to it any more is kept. */
  void close(HttpConnection connection) {
    Open open = all.get(connection);
    if (open != null) {
      open.close();
    }
  }

  private void waitForRequest(Open open, Duration within) {
    waiting.add(open);
    open.expect(within, open::close);
  }

  /** To be called every now and then: what is late, happens. */
  void sweep() {
    long now = System.nanoTime();
    List<Open> overdue =
        all.values().stream()
            .filter(open -> open.deadline != NEVER && open.deadline - now <= 0)
            .toList();
    for (Open open : overdue) {
      open.deadline = NEVER;
      BUGS.guard(open.late);
    }
  }
}
