package io.tinyfaas.manager.reconcile;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.manager.handler.EngineInventory;
import io.tinyfaas.manager.handler.HandlerContainer;
import io.tinyfaas.manager.handler.HandlerSockets;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.route.RoutePublisher;
import io.tinyfaas.manager.store.FunctionStore;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * Decides when to compare what a function should run with what it does: at start, when the engine
 * says that something happened, when the gateway lets go of handlers, when a handler that died may
 * be started, and by the clock. One look missed or made twice changes nothing.
 */
@ApplicationScoped
public class Reconciler {

  private static final Logger LOG = Logger.getLogger(Reconciler.class);

  private static final Duration LOOK_INTERVAL = Duration.ofSeconds(5);
  private static final Duration RETRY_ENGINE = Duration.ofSeconds(1);

  /** For all handlers together to say that they are well, when the manager has come back. */
  private static final Duration FIRST_ANSWERS = Duration.ofSeconds(20);

  private final FunctionStore store;
  private final EngineInventory engine;
  private final HandlerSockets sockets;
  private final HandlerMonitor monitor;
  private final FunctionRunner runner;
  private final RoutePublisher routes;

  private final FunctionLocks locks = new FunctionLocks();
  private final Set<FunctionName> due = ConcurrentHashMap.newKeySet();

  /** Functions whose last look failed, and why: of one that was deleted, nothing else may tell. */
  private final Map<FunctionName, String> failed = new ConcurrentHashMap<>();

  /** Why the last look at all failed; empty if it did not. */
  private String failure = "";

  /** The next look at each function whose handlers may not be started yet, at most one. */
  private final Map<FunctionName, Future<?>> later = new ConcurrentHashMap<>();

  private final ScheduledThreadPoolExecutor clock =
      new ScheduledThreadPoolExecutor(
          1,
          Thread.ofPlatform().daemon().name("look-later").factory(),
          new ScheduledThreadPoolExecutor.DiscardPolicy());
  private volatile boolean stopped;

  Reconciler(
      FunctionStore store,
      EngineInventory engine,
      HandlerSockets sockets,
      HandlerMonitor monitor,
      FunctionRunner runner,
      RoutePublisher routes) {
    this.store = store;
    this.engine = engine;
    this.sockets = sockets;
    this.monitor = monitor;
    this.runner = runner;
    this.routes = routes;
    clock.setRemoveOnCancelPolicy(true);
  }

  void start(@Observes StartupEvent event) {
    Thread.ofVirtual().name("reconciler").start(this::run);
  }

  void stop(@Observes ShutdownEvent event) {
    stopped = true;
    clock.shutdownNow();
  }

  /** Runs an operation while nothing else changes the function. */
  public <T> T exclusively(FunctionName function, Supplier<T> operation) {
    try (var _ = locks.acquire(function)) {
      return operation.get();
    }
  }

  /** Looks at the function soon, on another thread. */
  public void signal(FunctionName function) {
    if (due.add(function)) {
      Thread.ofVirtual().name("reconcile-" + function).start(() -> look(function));
    }
  }

  private void run() {
    openRoutes();
    routes.onGatewayChange(() -> runner.retiring().forEach(this::signal));
    Thread.ofVirtual().name("engine-events").start(this::listen);
    while (!stopped) {
      try {
        lookAtAll();
        failure = "";
      } catch (RuntimeException e) {
        warnOfNew("look-failed", e);
        if (engine.isLost()) {
          LOG.error(
              "event=engine-lost outcome=exit reason=\"the engine starts this container anew\"");
          Quarkus.asyncExit(1);
          return;
        }
      }
      pause(LOOK_INTERVAL);
    }
  }

  /**
   * Publishes first what runs well already, so that a manager that comes back takes nothing away;
   * then ends what an earlier life left half-made.
   */
  private void openRoutes() {
    while (!stopped) {
      try {
        Map<FunctionName, List<HandlerContainer>> running = engine.handlers();
        long deadline = System.nanoTime() + FIRST_ANSWERS.toNanos();
        List<Route> initial =
            store.functions().stream()
                .flatMap(
                    f -> runner.findRoute(f, running.getOrDefault(f, List.of()), deadline).stream())
                .toList();
        engine.removeLeft();
        runner.findLeft();
        Set<FunctionName> present = engine.functions();
        // The last thing that may fail: from here on functions are deployed.
        routes.open(initial, sockets::markLife);
        present.forEach(this::signal);
        runner.retiring().forEach(this::signal);
        return;
      } catch (RuntimeException e) {
        warnOfNew("start-delayed", e);
        pause(RETRY_ENGINE);
      }
    }
  }

  /** Once, and not each second of a night in which the engine is away. */
  private void warnOfNew(String event, RuntimeException e) {
    String reason = ProblemException.ofFailure(e).getMessage();
    if (!reason.equals(failure)) {
      LOG.warnf("event=%s reason=\"%s\"", event, reason);
    }
    failure = reason;
  }

  private void listen() {
    while (!stopped) {
      try {
        engine.listen(this::signal, () -> store.functions().forEach(this::signal));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      } catch (RuntimeException e) {
        LOG.debugf(e, "event=engine-events-ended");
      }
      // What happened meanwhile, the next look at all finds.
      pause(RETRY_ENGINE);
    }
  }

  /** Finds the functions that need a closer look, with one question to the engine. */
  private void lookAtAll() {
    Map<FunctionName, List<HandlerContainer>> found = engine.handlers();
    Set<String> ids = new HashSet<>();
    found.values().forEach(all -> all.forEach(h -> ids.add(h.handler().id())));
    monitor.forgetAllBut(ids);
    Set<FunctionName> all = new HashSet<>(store.functions());
    Set<FunctionName> unreachable = engine.unreachable(all);
    all.addAll(found.keySet());
    all.addAll(failed.keySet());
    Set<FunctionName> retiring = Set.copyOf(runner.retiring());
    all.addAll(retiring);
    for (FunctionName function : all) {
      if (failed.containsKey(function)
          || retiring.contains(function)
          || unreachable.contains(function)
          || !runner.isSettled(function, found.getOrDefault(function, List.of()))) {
        signal(function);
      }
    }
    runner.guardHost();
  }

  private void look(FunctionName function) {
    try (var held = locks.acquire(function)) {
      due.remove(function);
      forgetLater(function);
      runner
          .reconcile(function, () -> stopped || held.isWanted())
          .ifPresent(pause -> lookLater(function, pause));
      failed.remove(function);
    } catch (RuntimeException e) {
      due.remove(function);
      if (e.toString().equals(failed.put(function, e.toString()))) {
        return; // it has been told, and is tried again every few seconds
      }
      ProblemException problem = ProblemException.ofFailure(e);
      if (problem.type() == ProblemType.INTERNAL) {
        LOG.errorf(e, "event=reconcile-failed function=%s", function);
      } else {
        LOG.warnf(
            "event=reconcile-failed function=%s problem=%s reason=\"%s\"",
            function, problem.type(), problem.getMessage());
      }
    }
  }

  /** Called with the function's lock held, as {@link #forgetLater} is. */
  private void lookLater(FunctionName function, Duration pause) {
    later.put(
        function, clock.schedule(() -> signal(function), pause.toNanos(), TimeUnit.NANOSECONDS));
  }

  private void forgetLater(FunctionName function) {
    Future<?> look = later.remove(function);
    if (look != null) {
      look.cancel(false);
    }
  }

  private static void pause(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
