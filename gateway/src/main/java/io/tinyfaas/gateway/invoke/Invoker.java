package io.tinyfaas.gateway.invoke;

import io.micrometer.core.instrument.MeterRegistry;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.gateway.invoke.Attempt.Reply;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.BadRequest;
import io.tinyfaas.gateway.invoke.InvocationResult.NoHandler;
import io.tinyfaas.gateway.invoke.InvocationResult.NoRouteTable;
import io.tinyfaas.gateway.invoke.InvocationResult.Overloaded;
import io.tinyfaas.gateway.invoke.InvocationResult.PeerOverloaded;
import io.tinyfaas.gateway.invoke.InvocationResult.Stopping;
import io.tinyfaas.gateway.invoke.InvocationResult.TimedOut;
import io.tinyfaas.gateway.invoke.InvocationResult.Unauthorized;
import io.tinyfaas.gateway.invoke.InvocationResult.UnknownFunction;
import io.tinyfaas.gateway.loop.BugLog;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.loop.LoopTimers;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.HeapBudget;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.gateway.memory.Holder;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.tinyfaas.gateway.memory.Places;
import io.tinyfaas.gateway.metrics.InvocationMetrics;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import io.tinyfaas.gateway.route.RouteSettings;
import io.tinyfaas.gateway.route.RoutedFunction;
import io.tinyfaas.gateway.route.RoutedHandler;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;

/**
 * An invocation's whole path: find the route, check who asks, admit, pick a handler, send, and,
 * where a handler certainly did not take the request, send to another.
 */
@Singleton
public final class Invoker implements RouteListener {

  private static final BugLog BUGS =
      new BugLog(Logger.getLogger(Invoker.class), "result-listener-failed");

  private final InvocationLoop loop;
  private final LoopTimers timers;
  private final InvocationSettings settings;
  private final Path sockets;
  private final int maxBody;
  private final CurrentRoutes routes;
  private final InvocationMetrics metrics;
  private final BodyMemory memory;
  private final PeerHolders peers;
  private final RequestEncoder requests = new RequestEncoder();
  private final AtomicInteger inFlight = new AtomicInteger();
  private final Places<HandlerClient> connections = new Places<>(HeapBudget.HANDLER_CONNECTIONS);
  private final List<ResultListener> listeners = new CopyOnWriteArrayList<>();

  /** Of those that run, the one that began last; on the loop. */
  private Run newest;

  /** Made at a handler's first invocation, closed when it is idle and out of the table. */
  private final Map<RoutedHandler, HandlerClient> clients = new ConcurrentHashMap<>();

  /** The same for what functions ask of a handler whose function calls others itself. */
  private final Map<Level, HandlerClient> deeper = new ConcurrentHashMap<>();

  /**
   * Each depth has connections of its own: what waits for an answer never has one that the answer
   * has to come by, whatever circles functions call each other in, as what is deepest calls none.
   */
  private record Level(RoutedHandler handler, int depth) {}

  Invoker(
      InvocationLoop loop,
      LoopTimers timers,
      InvocationSettings settings,
      RouteSettings routing,
      HeapSettings heap,
      CurrentRoutes routes,
      InvocationMetrics metrics,
      MeterRegistry registry,
      BodyMemory memory,
      PeerHolders peers) {
    this.loop = loop;
    this.timers = timers;
    this.settings = settings;
    this.sockets = routing.sockets();
    this.maxBody = Math.toIntExact(heap.maxBody().asLongValue());
    this.routes = routes;
    this.metrics = metrics;
    this.memory = memory;
    this.peers = peers;
    registry.gauge("tinyfaas.in.flight", inFlight);
    routes.addListener(this);
  }

  public void addListener(ResultListener listener) {
    listeners.add(listener);
  }

  /**
   * To be called on the {@link InvocationLoop}, and completes on it.
   *
   * @return never fails: every outcome is a result
   */
  public Future<InvocationResult> invoke(Invocation invocation) {
    return start(invocation).result();
  }

  /** What has been begun, for a caller that may go before it has ended. */
  public interface Running {

    /** Never fails: every outcome is a result. */
    Future<InvocationResult> result();

    /** The caller's time is up, and with it the function's; on the {@link InvocationLoop}. */
    void callOff();
  }

  private record Ended(Future<InvocationResult> result) implements Running {
    Ended(InvocationResult result) {
      this(Future.succeededFuture(result));
    }

    @Override
    public void callOff() {}
  }

  /** Whether its request is one that no handler could be sent; nothing is begun. */
  public Optional<BadRequest> refusal(Invocation invocation) {
    try {
      requests.check(invocation);
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.of(new BadRequest(e.getMessage()));
    }
  }

  /** As {@link #invoke}. */
  public Running start(Invocation invocation) {
    boolean routed = routes.areKnown(); // before the look: a table may come in between
    Optional<RoutedFunction> found = routes.find(invocation.function());
    if (found.isEmpty()) {
      InvocationResult unknown = routed ? new UnknownFunction() : new NoRouteTable();
      metrics.refused(invocation.protocol(), unknown.outcome());
      return new Ended(unknown);
    }
    RoutedFunction function = found.get();
    if (function.route().exposure().access() == Access.DEVICE && !invocation.isOfDevice()) {
      InvocationResult unauthorized = new Unauthorized();
      metrics.refused(invocation.function(), invocation.protocol(), unauthorized.outcome());
      return new Ended(unauthorized);
    }
    Run run = new Run(invocation, function);
    Optional<InvocationResult> refusal = run.admit();
    if (refusal.isEmpty()) {
      run.begin();
    } else {
      run.finish(refusal.get());
    }
    return run;
  }

  /** Ends all that are still running: those who asked hear that the gateway is stopping. */
  public void stop() {
    loop.context()
        .runOnContext(
            now -> {
              while (newest != null) {
                newest.stop();
              }
            });
  }

  /** The invocations that are running. */
  public int inFlight() {
    return inFlight.get();
  }

  @Override
  public void onHandlerIdle(RoutedHandler handler) {
    close(clients.remove(handler));
    if (!deeper.isEmpty()) {
      for (int depth = 1; depth <= HandlerHttp.MAX_DEPTH; depth++) {
        close(deeper.remove(new Level(handler, depth)));
      }
    }
  }

  private static void close(HandlerClient client) {
    if (client != null) {
      client.close();
    }
  }

  private HandlerClient client(RoutedHandler handler) {
    HandlerClient client = clients.get(handler);
    return client != null ? client : clients.computeIfAbsent(handler, this::newClient);
  }

  private HandlerClient client(RoutedHandler handler, int depth) {
    return depth == 0
        ? client(handler)
        : deeper.computeIfAbsent(new Level(handler, depth), level -> newClient(level.handler()));
  }

  private HandlerClient newClient(RoutedHandler handler) {
    return new HandlerClient(
        loop,
        handler.handler().endpoint(),
        sockets,
        maxBody,
        settings.maxConnectionsPerHandler(),
        connections);
  }

  /** One running invocation. On one event loop only. */
  private final class Run implements Running, Attempt.Receiver, LoopTimers.Task {

    private final long started = System.nanoTime();
    private final Invocation invocation;
    private final RoutedFunction function;
    private final Holder peer;
    private final Promise<InvocationResult> result = Promise.promise();
    private final List<RoutedHandler> tried = new ArrayList<>(1);
    private LoopTimers.Timer deadline;
    private long taken;
    private RoutedHandler handler;
    private Attempt attempt;

    /** The invocation as its handler gets it. */
    private Invocation sent;

    private Run before;
    private Run after;

    Run(Invocation invocation, RoutedFunction function) {
      this.invocation = invocation;
      this.function = function;
      this.peer = invocation.holder(peers);
    }

    /** Counts in either case; {@link #finish} takes it off again. */
    Optional<InvocationResult> admit() {
      boolean ofPeer = peer.begin(settings.maxInFlightPerPeer());
      boolean all = inFlight.incrementAndGet() <= settings.maxInFlight();
      boolean its = function.inFlight().incrementAndGet() <= settings.maxInFlightPerFunction();
      long bytes = BodyMemory.ofInvocation(invocation.body().length, invocation.headers());
      if (!ofPeer) {
        return Optional.of(new PeerOverloaded());
      }
      if (!all || !its || !memory.take(bytes, peer, function.holder())) {
        return Optional.of(new Overloaded());
      }
      taken = bytes;
      return Optional.empty();
    }

    void begin() {
      before = newest;
      if (before != null) {
        before.after = this;
      }
      newest = this;
      long millis = function.route().timeoutMillis();
      sent = invocation;
      if (function.mayCall() || invocation.lineage().hasDeadline()) {
        long now = System.currentTimeMillis();
        millis = left(millis, now);
        long told = function.mayCall() ? now + millis : Lineage.NO_DEADLINE;
        sent = invocation.with(invocation.lineage().until(told));
      }
      deadline = timers.start(millis, this);
      if (millis == 0) {
        finish(new TimedOut());
      } else {
        attempt(pick());
      }
    }

    /** Of the function's time, what those who asked for it still have. */
    private long left(long millis, long now) {
      Lineage lineage = invocation.lineage();
      return lineage.hasDeadline() ? Math.clamp(lineage.deadline() - now, 0, millis) : millis;
    }

    private void attempt(Optional<RoutedHandler> picked) {
      if (picked.isEmpty()) {
        finish(new NoHandler());
        return;
      }
      handler = picked.get();
      tried.add(handler);
      if (function.mayCall()) {
        int depth = invocation.lineage().depth();
        handler.depths().begin(depth);
        attempt = client(handler, depth).send(sent, this);
      } else {
        attempt = client(handler).send(sent, this);
      }
    }

    private void leave() {
      if (function.mayCall()) {
        handler.depths().end(invocation.lineage().depth());
      }
      handler.leave();
    }

    @Override
    public void replied(Reply reply) {
      leave();
      if (reply instanceof Reply.Final(InvocationResult outcome)) {
        finish(outcome);
      } else {
        handler.refused();
        // After the loop has seen which other connections ended at the same time.
        loop.context().runOnContext(again -> retry());
      }
    }

    private void retry() {
      if (!result.future().isComplete()) {
        attempt(pick());
      }
    }

    /**
     * Another handler than those tried; the only one twice, since a connection that was kept may
     * have ended while it was idle. Enters the handler, and looks at the table again if it has left
     * since.
     */
    private Optional<RoutedHandler> pick() {
      while (true) {
        Optional<RoutedFunction> now = routes.find(invocation.function());
        if (now.isEmpty()) {
          return Optional.empty();
        }
        boolean again = tried.size() == 1 && now.get().hasOneHandler();
        Optional<RoutedHandler> picked = now.get().pick(again ? List.of() : tried);
        if (picked.isEmpty() || picked.get().enter()) {
          return picked;
        }
      }
    }

    @Override
    public boolean take(long bytes) {
      return memory.takeMore(bytes, peer, function.holder());
    }

    @Override
    public void give(long bytes) {
      memory.give(bytes, peer, function.holder());
    }

    @Override
    public Future<InvocationResult> result() {
      return result.future();
    }

    @Override
    public void callOff() {
      if (!result.future().isComplete()) {
        timeUp();
      }
    }

    @Override
    public void timeUp() {
      cancel(new TimedOut());
    }

    void stop() {
      cancel(new Stopping());
    }

    private void cancel(InvocationResult outcome) {
      if (attempt.cancel()) {
        leave();
      }
      finish(outcome);
    }

    private void unlink() {
      if (before != null) {
        before.after = after;
      }
      if (after != null) {
        after.before = before;
      } else {
        newest = before;
      }
      // Whoever holds it for longer, such as an answer that is remembered, holds none of the
      // others.
      before = null;
      after = null;
    }

    void finish(InvocationResult outcome) {
      if (result.future().isComplete()) {
        return;
      }
      if (deadline != null) {
        deadline.cancel();
        unlink();
      }
      give(taken); // before its answer takes some
      result.complete(outcome);
      peer.end();
      inFlight.decrementAndGet();
      function.inFlight().decrementAndGet();
      metrics.finished(invocation.function(), invocation.protocol(), outcome.outcome(), started);
      if (outcome instanceof Answered answered
          && function.route().exposure().observable() != Observable.NO) {
        for (ResultListener listener : listeners) {
          BUGS.guard(() -> listener.onResult(invocation, answered));
        }
      }
    }
  }
}
