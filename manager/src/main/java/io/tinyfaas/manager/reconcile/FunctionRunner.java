package io.tinyfaas.manager.reconcile;

import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.manager.docker.FunctionImages;
import io.tinyfaas.manager.docker.FunctionNetworks;
import io.tinyfaas.manager.docker.HandlerContainer;
import io.tinyfaas.manager.docker.HandlerContainers;
import io.tinyfaas.manager.docker.HostCommand;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.route.RoutePublisher;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.store.FunctionVersion;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * Makes what runs of one function match what the store says should run.
 *
 * <p>Level-triggered: {@link #reconcile} compares and does what is missing, whatever happened
 * before and however often it is called. Scaling, restarting a dead handler and coming back after a
 * power cut are this same comparison. The caller sees to it that nobody else changes the function
 * meanwhile.
 */
@ApplicationScoped
public class FunctionRunner {

  private static final Logger LOG = Logger.getLogger(FunctionRunner.class);

  /** A handler silent for its function's timeout and this long is replaced. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /**
   * What a handler that is no longer wanted has for the end of what nobody waits for any more. It
   * is waited for with the function's lock held.
   */
  private static final Duration GRACE = Duration.ofSeconds(5);

  /** A gateway that is there takes a table over within a few milliseconds. */
  private static final Duration GATEWAY_TIMEOUT = Duration.ofSeconds(10);

  /** How long a caller who is told of a failure is kept for a gateway that may not be there. */
  private static final Duration REVERT_TIMEOUT = Duration.ofSeconds(1);

  /** More starts at once would only make each slower on a box of a few cores. */
  private static final int PARALLEL_STARTS = 4;

  private final FunctionStore store;
  private final FunctionImages images;
  private final HandlerContainers containers;
  private final HandlerMonitor monitor;
  private final RoutePublisher routes;
  private final FunctionNetworks networks;
  private final HostCommand commands;

  private final Semaphore starts = new Semaphore(PARALLEL_STARTS, true);

  /**
   * Functions of which something may be there that is no longer wanted: a handler that the gateway
   * still has, or what an earlier life or a change has left.
   */
  private final Set<FunctionName> retiring = ConcurrentHashMap.newKeySet();

  FunctionRunner(
      FunctionStore store,
      FunctionImages images,
      HandlerContainers containers,
      HandlerMonitor monitor,
      RoutePublisher routes,
      FunctionNetworks networks,
      HostCommand commands) {
    this.store = store;
    this.images = images;
    this.containers = containers;
    this.monitor = monitor;
    this.routes = routes;
    this.networks = networks;
    this.commands = commands;
  }

  /**
   * The comparison.
   *
   * @param givenUp ends a wait for handlers to become healthy
   * @return how long until the next handler that died may be started; empty if none waits for that
   */
  Optional<Duration> reconcile(FunctionName function, BooleanSupplier givenUp) {
    if (store.isLeftOut(function)) {
      return Optional.empty();
    }
    List<HandlerContainer> found =
        containers.list(function).stream().flatMap(handler -> asItIs(handler).stream()).toList();
    Optional<FunctionVersion> active = store.active(function);
    if (active.isEmpty()) {
      routes.remove(function);
      removeAll(function, found);
      return Optional.empty();
    }
    FunctionVersion version = active.get();
    List<HandlerContainer> wanted =
        wanted(version, found).stream()
            .filter(handler -> isUsable(version, handler))
            .limit(version.spec().handlers())
            .collect(Collectors.toCollection(ArrayList::new));
    List<HandlerContainer> obsolete = new ArrayList<>(found);
    obsolete.removeAll(wanted);
    publish(version, wanted);
    containers.join(version);
    startMissing(version, wanted, givenUp);
    publish(version, wanted);
    retire(version, obsolete);
    return wanted.stream()
        .filter(handler -> !handler.isRunning())
        .map(handler -> monitor.of(handler).untilRestart())
        .min(Comparator.naturalOrder());
  }

  /** Whether a function needs no comparison; asks each of its handlers. */
  boolean isSettled(FunctionName function, List<HandlerContainer> found) {
    Optional<FunctionVersion> active = store.active(function);
    return active.isPresent()
        && found.size() == active.get().spec().handlers()
        && wanted(active.get(), found).size() == found.size()
        && found.stream()
            .allMatch(h -> h.isRunning() && monitor.of(h).isRoutable() && monitor.answers(h));
  }

  /** Looks after what keeps functions with network access off the host. */
  void guardHost() {
    commands.removeLeft();
    networks.guardHost(
        store.functions().stream()
            .flatMap(function -> store.active(function).stream())
            .anyMatch(version -> version.spec().networkAccess()));
  }

  Set<FunctionName> retiring() {
    return retiring;
  }

  /** Finds what an earlier life did not live to remove: the next comparison does. */
  public void findLeft() {
    retiring.addAll(
        images.functionsBesides(
            store.functions().stream()
                .flatMap(function -> store.versions(function).stream())
                .map(images::reference)
                .collect(Collectors.toSet())));
    containers.functionsWithOutbound().stream()
        .filter(f -> store.active(f).filter(v -> v.spec().networkAccess()).isEmpty())
        .forEach(retiring::add);
    retiring.addAll(containers.functionsWithLeftSockets());
  }

  /**
   * A route to those of the found handlers that run the active version and answer.
   *
   * @param deadline by {@link System#nanoTime}, for those that are busy
   */
  Optional<Route> observe(FunctionName function, List<HandlerContainer> found, long deadline) {
    return store
        .active(function)
        .map(
            version ->
                route(
                    version,
                    wanted(version, found).stream()
                        .filter(h -> h.isRunning() && monitor.answers(h, deadline))
                        .map(HandlerContainer::handler)
                        .toList()));
  }

  /**
   * Brings a version up beside what runs, and returns when the gateway routes to it and to nothing
   * else.
   *
   * @throws ProblemException if it does not start, or the gateway does not take it over
   */
  public void serve(FunctionVersion version) {
    routes.requireGateway();
    retiring.add(version.function());
    Revision revision = routes.put(bringUp(version));
    if (!routes.awaitApplied(revision, GATEWAY_TIMEOUT)) {
      throw ProblemException.of(
          ProblemType.GATEWAY_UNAVAILABLE,
          "The gateway did not take the new version over within "
              + GATEWAY_TIMEOUT.toSeconds()
              + " s. The version before goes on; look at docker compose logs gateway, then try"
              + " again.");
    }
  }

  /**
   * Returns when all that the active version asks for is up, and the gateway routes to it: at once
   * where that is so. A failure takes nothing away.
   *
   * @throws ProblemException as {@link #serve} does
   */
  public void complete(FunctionVersion active) {
    FunctionName function = active.function();
    if (!isSettled(function, containers.list(function))) {
      reconcile(function, () -> false);
      serve(active);
    }
  }

  /**
   * Routes to what ran before a version that was not to be, and removes what was made for that one;
   * of its handlers, those that the gateway may have seen are left to {@link #reconcile}. Where the
   * version before cannot be read, what runs stays: it may be the last there is of it.
   */
  public void revert(FunctionVersion failed, Optional<FunctionVersion> before) {
    FunctionName function = failed.function();
    if (before.isPresent()) {
      Revision revision = publish(before.get(), wanted(before.get(), containers.list(function)));
      routes.awaitApplied(revision, REVERT_TIMEOUT);
      retainImages(function);
    } else if (store.isLeftOut(function)) {
      routes.remove(function);
    } else {
      end(function, GATEWAY_TIMEOUT);
    }
  }

  /**
   * Brings a version's handlers up beside whatever else runs, as many as it asks for.
   *
   * @return the route to all of them, healthy
   * @throws ProblemException if one does not start; those made here are gone again
   */
  private Route bringUp(FunctionVersion version) {
    containers.requireRoom(version.spec());
    images.ensure(version);
    List<HandlerContainer> up =
        wanted(version, containers.list(version.function())).stream()
            .filter(handler -> handler.isRunning() && monitor.answers(handler))
            .limit(version.spec().handlers())
            .collect(Collectors.toCollection(ArrayList::new));
    List<HandlerContainer> made = new ArrayList<>();
    try {
      while (up.size() + made.size() < version.spec().handlers()) {
        made.add(createAndStart(version));
      }
      for (HandlerContainer handler : made) {
        monitor
            .awaitHealthy(handler, () -> false)
            .ifPresent(
                failure -> {
                  throw failure;
                });
      }
    } catch (RuntimeException e) {
      made.forEach(this::removeQuietly);
      throw e;
    }
    up.addAll(made);
    return route(version, up.stream().map(HandlerContainer::handler).toList());
  }

  /**
   * Ends a function that is no longer in the store: the route first, then its handlers once they
   * are idle, then everything that was made for it.
   *
   * @param atMost how long its invocations may go on; then they are cut off
   */
  public void end(FunctionName function, Duration atMost) {
    routes.remove(function);
    List<HandlerContainer> found = containers.list(function);
    routes.awaitReleased(found.stream().map(h -> h.handler().id()).toList(), atMost);
    removeAll(function, found);
  }

  /** The engine's list is behind its events: a handler that is said to run may have ended. */
  private Optional<HandlerContainer> asItIs(HandlerContainer listed) {
    return listed.isRunning() ? containers.find(listed) : Optional.of(listed);
  }

  /** Whether a handler answers, or may yet be brought to. */
  private boolean isUsable(FunctionVersion version, HandlerContainer handler) {
    if (handler.wasNeverStarted()) {
      return false;
    }
    HandlerHealth known = monitor.of(handler);
    if (!handler.isRunning()) {
      known.stopped();
      remember(handler, known);
      return true;
    }
    if (monitor.answers(handler) || !known.isSilentFor(version.spec().timeout().plus(PATIENCE))) {
      return true;
    }
    LOG.warnf(
        "event=handler-unresponsive function=%s handler=%s outcome=replaced",
        handler.function(), handler.handler().id());
    return false;
  }

  /** Before it is started again: only until then the engine tells how it ended. */
  private void remember(HandlerContainer stopped, HandlerHealth known) {
    containers
        .ending(stopped)
        .filter(known::ended)
        .ifPresent(
            how ->
                LOG.warnf(
                    "event=handler-ended function=%s handler=%s exit-code=%d out-of-memory=%b",
                    stopped.function(), stopped.handler().id(), how.exitCode(), how.outOfMemory()));
  }

  private void startMissing(
      FunctionVersion version, List<HandlerContainer> wanted, BooleanSupplier givenUp) {
    List<HandlerContainer> started = new ArrayList<>();
    for (HandlerContainer handler : List.copyOf(wanted)) {
      HandlerHealth known = monitor.of(handler);
      if (!handler.isRunning() && known.untilRestart().isZero()) {
        known.restarted();
        containers.start(handler);
        wanted.set(wanted.indexOf(handler), handler.running());
        started.add(handler.running());
      } else if (handler.isRunning() && !known.isRoutable()) {
        started.add(handler);
      }
    }
    if (wanted.size() < version.spec().handlers()) {
      images.ensure(version);
    }
    while (wanted.size() < version.spec().handlers()) {
      HandlerContainer handler = createAndStart(version);
      wanted.add(handler);
      started.add(handler);
    }
    for (HandlerContainer handler : started) {
      Optional<ProblemException> failure = monitor.awaitHealthy(handler, givenUp);
      LOG.infof(
          "event=handler-start function=%s version=%d handler=%s outcome=%s%s",
          version.function(),
          version.number(),
          handler.handler().id(),
          failure.isPresent() ? "failed" : monitor.state(handler),
          failure.map(f -> " reason=\"" + f.getMessage() + "\"").orElse(""));
    }
  }

  private HandlerContainer createAndStart(FunctionVersion version) {
    starts.acquireUninterruptibly();
    try {
      String image = images.reference(version);
      HandlerContainer created =
          containers.create(version, image, containers.fingerprint(version, image));
      try {
        monitor.of(created).started();
        containers.start(created);
      } catch (RuntimeException e) {
        removeQuietly(created);
        throw e;
      }
      return created.running();
    } finally {
      starts.release();
    }
  }

  /** Stops what is no longer wanted once the gateway has let go of it. */
  private void retire(FunctionVersion version, List<HandlerContainer> obsolete) {
    List<HandlerContainer> released =
        obsolete.stream()
            .filter(h -> !h.isRunning() || routes.isReleased(h.handler().id()))
            .toList();
    if (!obsolete.isEmpty()) {
      // Until all is done: what fails half-way, the next look does.
      retiring.add(version.function());
    }
    removeTogether(released);
    if (released.size() == obsolete.size() && retiring.contains(version.function())) {
      boolean done = retainImages(version.function());
      containers.removeUnused(version.function(), version.spec().networkAccess());
      if (done) {
        retiring.remove(version.function());
      }
    }
  }

  /**
   * @return whether no other is left
   */
  private boolean retainImages(FunctionName function) {
    return images.retain(
        function,
        store.versions(function).stream().map(images::reference).collect(Collectors.toSet()));
  }

  private void removeAll(FunctionName function, List<HandlerContainer> found) {
    removeTogether(found);
    containers.removeTraces(function);
    if (images.retain(function, Set.of())) {
      retiring.remove(function);
    } else {
      retiring.add(function);
    }
  }

  /** One that hangs takes all of its grace; the others are not to wait for it. */
  private void removeTogether(List<HandlerContainer> handlers) {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<CompletableFuture<Void>> removals =
          handlers.stream()
              .map(handler -> CompletableFuture.runAsync(() -> remove(handler, GRACE), threads))
              .toList();
      removals.forEach(CompletableFuture::join);
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private void remove(HandlerContainer handler, Duration grace) {
    containers.remove(handler, grace);
    monitor.forget(handler);
    LOG.infof(
        "event=handler-stop function=%s handler=%s outcome=removed",
        handler.function(), handler.handler().id());
  }

  private void removeQuietly(HandlerContainer handler) {
    try {
      remove(handler, Duration.ZERO);
    } catch (RuntimeException e) {
      LOG.warnf(
          "event=handler-stop function=%s handler=%s outcome=failed reason=\"%s\"",
          handler.function(), handler.handler().id(), e.getMessage());
    }
  }

  private Revision publish(FunctionVersion version, List<HandlerContainer> handlers) {
    return routes.put(
        route(
            version,
            handlers.stream()
                .filter(h -> h.isRunning() && monitor.of(h).isRoutable())
                .map(HandlerContainer::handler)
                .toList()));
  }

  private static Route route(FunctionVersion version, List<Handler> handlers) {
    return new Route(
        version.function(),
        version.number(),
        version.spec().timeout().toMillis(),
        version.spec().exposure(),
        handlers);
  }

  /** Those of the found handlers that run this version as it is to run, running ones first. */
  public List<HandlerContainer> wanted(FunctionVersion version, List<HandlerContainer> found) {
    String fingerprint = containers.fingerprint(version, images.reference(version));
    return found.stream()
        .filter(handler -> handler.fingerprint().equals(fingerprint))
        .sorted((a, b) -> Boolean.compare(b.isRunning(), a.isRunning()))
        .toList();
  }
}
