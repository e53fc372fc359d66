package io.tinyfaas.gateway.invoke;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.gateway.invoke.Attempt.Receiver;
import io.tinyfaas.gateway.loop.BusyPoll;
import io.tinyfaas.gateway.loop.FairReads;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.Places;
import io.vertx.core.impl.ContextInternal;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * HTTP/1.1 to one handler, over the Unix socket or the TCP port it listens on, with connections
 * that are kept, and shared as far as {@link Pipelining} allows. On the invocation loop only.
 */
final class HandlerClient {

  private static final int CONNECT_TIMEOUT_MILLIS = 2_000;

  /** Below the 60 s for which the contract makes a handler keep idle connections. */
  private static final long KEEP_ALIVE_NANOS = TimeUnit.SECONDS.toNanos(30);

  private static final int CLEANER_SECONDS = 5;

  /** More than what handlers answer with one write, but for large bodies. */
  private static final int READ_BYTES = 16 * 1_024;

  /** A larger body goes alone: others would wait for it. */
  private static final int MAX_SHARED_BODY_BYTES = 8 * 1_024;

  /** Of the connections, for peers of which nothing is under way: the others cannot take all. */
  private static final int RESERVED_FRACTION = 8;

  private final ContextInternal context;
  private final EventLoop loop;
  private final SocketAddress address;
  private final Bootstrap bootstrap;
  private final int maxBody;
  private final int maxConnections;
  private final Places<HandlerClient> places;
  private final LongSupplier clock;
  private final Pipelining pipelining = new Pipelining();
  private final RequestEncoder encoder = new RequestEncoder();

  private final List<HandlerConnection> connections = new ArrayList<>();

  /** Those of them that are idle, the one used last at the end. */
  private final ArrayDeque<HandlerConnection> idle = new ArrayDeque<>();

  /** Attempts without a connection; as many at most as a function may have in flight. */
  private final WaitingAttempts waiting = new WaitingAttempts();

  private final List<HandlerConnection> unflushed = new ArrayList<>();
  private final Runnable flush = this::flush;
  private final BusyPoll answers;

  /** Takes the requests of this turn of the loop that may share; null if there is none yet. */
  private HandlerConnection gathering;

  private int connecting;
  private int unanswered;
  private boolean cleaning;
  private boolean closed;

  /**
   * @param sockets the folder below which handlers have their sockets
   * @param maxBody of an answer, in bytes
   */
  HandlerClient(
      InvocationLoop loop,
      HandlerEndpoint endpoint,
      Path sockets,
      int maxBody,
      int maxConnections,
      Places<HandlerClient> places) {
    this(
        loop,
        switch (endpoint) {
          case HandlerEndpoint.Unix(String path) ->
              new DomainSocketAddress(sockets.resolve(path).toFile());
          case HandlerEndpoint.Tcp(String host, int port) -> new InetSocketAddress(host, port);
        },
        maxBody,
        maxConnections,
        places,
        System::nanoTime);
  }

  /**
   * @param maxBody of an answer, in bytes
   * @param places of connections to all handlers, but for the first to each
   * @param clock as {@link System#nanoTime}
   */
  HandlerClient(
      InvocationLoop loop,
      SocketAddress address,
      int maxBody,
      int maxConnections,
      Places<HandlerClient> places,
      LongSupplier clock) {
    this.context = loop.context();
    this.loop = context.nettyEventLoop();
    this.answers = new BusyPoll(this.loop);
    this.address = address;
    this.maxBody = maxBody;
    this.maxConnections = maxConnections;
    this.places = places;
    this.clock = clock;
    this.bootstrap =
        new Bootstrap()
            .group(this.loop)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(new HandlerConnection(HandlerClient.this, channel));
                    FairReads.of(channel, READ_BYTES);
                  }
                });
    if (address instanceof DomainSocketAddress) {
      bootstrap.channel(EpollDomainSocketChannel.class);
    } else {
      bootstrap.channel(EpollSocketChannel.class).option(ChannelOption.TCP_NODELAY, true);
    }
  }

  Attempt send(Invocation invocation, Receiver receiver) {
    Attempt attempt = new Attempt(this, invocation, receiver);
    boolean next = waiting.isEmpty() || hasReserveOnly() && mayTakeIdle(attempt);
    if (!next || !assign(attempt)) {
      waiting.add(attempt);
      connectWhereNeeded();
    }
    return attempt;
  }

  /** From any thread. */
  void close() {
    loop.execute(
        () -> {
          closed = true;
          List.copyOf(connections).forEach(HandlerConnection::close);
          failWaiting();
        });
  }

  ContextInternal context() {
    return context;
  }

  Pipelining pipelining() {
    return pipelining;
  }

  int maxBody() {
    return maxBody;
  }

  long nanoTime() {
    return clock.getAsLong();
  }

  /** Requests on all connections. */
  int unanswered() {
    return unanswered;
  }

  /**
   * @param nanos since its request was the first on its connection
   */
  void answered(long nanos) {
    unanswered--;
    pipelining.answered(nanos);
  }

  /** An attempt without a connection is cancelled. */
  void forget(Attempt attempt) {
    waiting.remove(attempt);
  }

  /** Answers have come on a connection: it may take requests. */
  void progressed(HandlerConnection connection) {
    answers.arrived();
    if (connection.isIdle() && !connection.isLast() && !idle.contains(connection)) {
      idle.addLast(connection);
    }
    serveWaiting();
  }

  /** A connection is none any more; those that it carries learn that next. */
  void closed(HandlerConnection connection) {
    unanswered -= connection.depth();
    if (connections.remove(connection)) {
      idle.remove(connection);
      oneLess();
      connectWhereNeeded();
    }
  }

  void flushSoon(HandlerConnection connection) {
    if (unflushed.isEmpty()) {
      loop.execute(flush);
    }
    unflushed.add(connection);
  }

  /** After what else happens in this turn of the loop. */
  private void flush() {
    gathering = null;
    unflushed.forEach(HandlerConnection::flush);
    unflushed.clear();
    answers.await();
  }

  private void serveWaiting() {
    while (!waiting.isEmpty() && assign(waiting.first())) {
      waiting.removeFirst();
    }
    while (!waiting.isEmpty() && !idle.isEmpty() && hasReserveOnly() && serveNewcomer()) {
      // one after the other
    }
    connectWhereNeeded();
  }

  /** Those ahead of whom that is wait for what they have under way. */
  private boolean serveNewcomer() {
    Attempt newcomer = waiting.first(peer -> !isUnderWay(peer));
    if (newcomer == null || !assign(newcomer)) {
      return false;
    }
    waiting.take(newcomer);
    return true;
  }

  /** Whether so much is in use that what is left is for newcomers. */
  private boolean hasReserveOnly() {
    return connections.size() - idle.size() >= maxConnections - maxConnections / RESERVED_FRACTION;
  }

  private boolean isUnderWay(Object peer) {
    for (HandlerConnection connection : connections) {
      if (connection.carries(peer)) {
        return true;
      }
    }
    return false;
  }

  /**
   * @return false if no connection may take it now
   */
  private boolean assign(Attempt attempt) {
    boolean alone = goesAlone(attempt);
    HandlerConnection connection = pick(attempt, alone);
    if (connection == null) {
      return false;
    }
    try {
      connection.send(attempt, alone, encoder);
      unanswered++;
    } catch (IllegalArgumentException e) {
      if (connection.isIdle()) {
        idle.addLast(connection);
        gathering = null;
      }
      attempt.refused("it cannot be passed on to the function: " + e.getMessage());
    }
    return true;
  }

  private static boolean goesAlone(Attempt attempt) {
    return attempt.invocation().body().length > MAX_SHARED_BODY_BYTES;
  }

  /** One of its own while few requests are under way, else the one that this turn's go to. */
  private HandlerConnection pick(Attempt attempt, boolean alone) {
    int depth = alone ? 1 : pipelining.depth();
    if (depth == 1 || unanswered < Pipelining.CONNECTIONS) {
      return takeIdle(attempt);
    }
    long now = nanoTime();
    if (gathering == null || gathering.depth() >= depth || !gathering.isShareable(now)) {
      gathering = next(attempt, depth, now);
    }
    return gathering;
  }

  /** None, so that requests wait, where enough connections are in use and all have much to do. */
  private HandlerConnection next(Attempt attempt, int depth, long now) {
    boolean enough = connections.size() - idle.size() >= Pipelining.CONNECTIONS;
    return enough && hasShareable(now) ? leastLoaded(depth, now) : takeIdle(attempt);
  }

  private HandlerConnection takeIdle(Attempt attempt) {
    return mayTakeIdle(attempt) ? idle.pollLast() : null;
  }

  private boolean mayTakeIdle(Attempt attempt) {
    return !idle.isEmpty() && (!hasReserveOnly() || !isUnderWay(attempt.invocation().turn()));
  }

  /** Of those that have answered half: few requests at a time would cost each side a call each. */
  private HandlerConnection leastLoaded(int depth, long now) {
    HandlerConnection best = null;
    int least = depth / 2 + 1;
    for (HandlerConnection connection : connections) {
      int load = connection.depth();
      if (load > 0 && load < least && connection.isShareable(now)) {
        best = connection;
        least = load;
      }
    }
    return best;
  }

  private void connectWhereNeeded() {
    while (connecting < waiting.size()
        && connections.size() + connecting < maxConnections
        && !closed
        && !isWorthWaiting()
        && (isFirst() || places.take(this))) {
      connect();
    }
  }

  /** Whatever others have, a handler has one. */
  private boolean isFirst() {
    return connections.isEmpty() && connecting == 0;
  }

  private void oneLess() {
    if (!isFirst()) {
      places.give(this);
    }
  }

  /** Where connections are shared, and one has only no room for the moment. */
  private boolean isWorthWaiting() {
    if (pipelining.depth() == 1
        || connections.size() + connecting < Pipelining.CONNECTIONS
        || goesAlone(waiting.first())) {
      return false;
    }
    return hasShareable(nanoTime());
  }

  private boolean hasShareable(long now) {
    for (HandlerConnection connection : connections) {
      if (!connection.isIdle() && connection.isShareable(now)) {
        return true;
      }
    }
    return false;
  }

  private void connect() {
    connecting++;
    bootstrap
        .connect(address)
        .addListener(
            (ChannelFuture attempted) ->
                context.dispatch(() -> connected(attempted.channel(), attempted.isSuccess())));
  }

  private void connected(Channel channel, boolean open) {
    connecting--;
    if (open && !closed) {
      HandlerConnection connection = channel.pipeline().get(HandlerConnection.class);
      connections.add(connection);
      progressed(connection);
      cleanLater();
      return;
    }
    channel.close();
    oneLess();
    if (!waiting.isEmpty()) {
      waiting.removeFirst().notDelivered();
    }
    if (connections.isEmpty() && connecting == 0) {
      failWaiting();
    }
  }

  private void failWaiting() {
    while (!waiting.isEmpty()) {
      waiting.removeFirst().notDelivered();
    }
  }

  private void cleanLater() {
    if (!cleaning) {
      cleaning = true;
      loop.schedule(this::clean, CLEANER_SECONDS, TimeUnit.SECONDS);
    }
  }

  private void clean() {
    long longAgo = nanoTime() - KEEP_ALIVE_NANOS;
    while (!idle.isEmpty() && idle.peekFirst().isIdleSince(longAgo)) {
      idle.peekFirst().close();
    }
    cleaning = false;
    if (!connections.isEmpty()) {
      cleanLater();
    }
  }
}
