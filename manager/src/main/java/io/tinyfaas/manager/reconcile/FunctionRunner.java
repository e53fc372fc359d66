package io.tinyfaas.manager.reconcile;

import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.manager.engine.HostCommand;
import io.tinyfaas.manager.handler.HandlerContainer;
import io.tinyfaas.manager.handler.HandlerContainers;
import io.tinyfaas.manager.handler.HandlerEndings;
import io.tinyfaas.manager.image.FunctionImages;
import io.tinyfaas.manager.network.FunctionNetworks;
import io.tinyfaas.manager.problem.ProblemException;
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

  private final FunctionStore store;
  private final FunctionImages images;
  private final HandlerContainers containers;
  private final HandlerEndings endings;
  private final HandlerMonitor monitor;
  private final RoutePublisher routes;
  private final FunctionNetworks networks;
  private final HostCommand commands;
  private final FunctionHandlers handlers;

  FunctionRunner(
      FunctionStore store,
      FunctionImages images,
      HandlerContainers containers,
      HandlerEndings endings,
      HandlerMonitor monitor,
      RoutePublisher routes,
      FunctionNetworks networks,
      HostCommand commands,
      FunctionHandlers handlers) {
    this.store = store;
    this.images = images;
    this.containers = containers;
    this.endings = endings;
    this.monitor = monitor;
    this.routes = routes;
    this.networks = networks;
    this.commands = commands;
    this.handlers = handlers;
  }

  /**
   * The comparison.
   *
   * @param givenUp ends a wait for handlers to become healthy
   * @return how long until the next handler that died may be started; empty if none waits for that
   */
  Optional<Duration> reconcile(FunctionName function, BooleanSupplier givenUp) {
    if (store.isUnreadable(function)) {
      return Optional.empty();
    }
    List<HandlerContainer> found =
        containers.list(function).stream().flatMap(handler -> asItIs(handler).stream()).toList();
    Optional<FunctionVersion> active = store.active(function);
    if (active.isEmpty()) {
      routes.remove(function);
      handlers.removeAll(function, found);
      return Optional.empty();
    }
    FunctionVersion version = active.get();
    List<HandlerContainer> wanted =
        handlers.wanted(version, found).stream()
            .filter(handler -> isUsable(version, handler))
            .limit(version.spec().handlers())
            .collect(Collectors.toCollection(ArrayList::new));
    List<HandlerContainer> obsolete = new ArrayList<>(found);
    obsolete.removeAll(wanted);
    handlers.publish(version, wanted);
    containers.join(version);
    startMissing(version, wanted, givenUp);
    handlers.publish(version, wanted);
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
        && handlers.wanted(active.get(), found).size() == found.size()
        && found.stream()
            .allMatch(
                h ->
                    h.isRunning()
                        && monitor.of(h).isRoutable()
                        && containers.hasCallSocket(active.get(), h)
                        && monitor.answers(h));
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
    return handlers.retiring();
  }

  /** Finds what an earlier life did not live to remove: the next comparison does. */
  public void findLeft() {
    handlers
        .retiring()
        .addAll(
            images.functionsBesides(
                store.functions().stream()
                    .flatMap(function -> store.versions(function).stream())
                    .map(images::reference)
                    .collect(Collectors.toSet())));
    containers.functionsWithOutbound().stream()
        .filter(f -> store.active(f).filter(v -> v.spec().networkAccess()).isEmpty())
        .forEach(handlers.retiring()::add);
    handlers.retiring().addAll(containers.functionsWithLeftSockets());
  }

  /**
   * A route to those of the found handlers that run the active version and answer.
   *
   * @param deadline by {@link System#nanoTime}, for those that are busy
   */
  Optional<Route> findRoute(FunctionName function, List<HandlerContainer> found, long deadline) {
    return store
        .active(function)
        .map(
            version ->
                FunctionHandlers.route(
                    version,
                    handlers.wanted(version, found).stream()
                        .filter(h -> h.isRunning() && monitor.answers(h, deadline))
                        .map(HandlerContainer::handler)
                        .toList()));
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
    if (!containers.hasCallSocket(version, handler)) {
      LOG.warnf(
          "event=handler-without-call-socket function=%s handler=%s outcome=replaced",
          handler.function(), handler.handler().id());
      return false;
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
    endings
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
        containers.start(version, handler);
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
      HandlerContainer handler = handlers.createAndStart(version);
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
          failure.isPresent() ? "failed" : monitor.health(handler).text(),
          failure.map(f -> " reason=\"" + f.getMessage() + "\"").orElse(""));
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
      handlers.retiring().add(version.function());
    }
    handlers.removeTogether(released);
    if (released.size() == obsolete.size() && handlers.retiring().contains(version.function())) {
      boolean done = handlers.retainImages(version.function());
      containers.removeUnused(version.function(), version.spec().networkAccess());
      if (done) {
        handlers.retiring().remove(version.function());
      }
    }
  }
}
