package io.tinyfaas.manager.reconcile;

import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.manager.handler.HandlerContainer;
import io.tinyfaas.manager.handler.HandlerContainers;
import io.tinyfaas.manager.handler.HandlerCreation;
import io.tinyfaas.manager.image.FunctionImages;
import io.tinyfaas.manager.route.RoutePublisher;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.store.FunctionVersion;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * The handlers of one function: which of those that were found it wants, how one is made and
 * removed, and the route to them.
 */
@ApplicationScoped
public class FunctionHandlers {

  private static final Logger LOG = Logger.getLogger(FunctionHandlers.class);

  /**
   * What a handler that is no longer wanted has for the end of what nobody waits for any more. It
   * is waited for with the function's lock held.
   */
  private static final Duration GRACE = Duration.ofSeconds(5);

  /** More starts at once would only make each slower on a box of a few cores. */
  private static final int PARALLEL_STARTS = 4;

  private final FunctionStore store;
  private final FunctionImages images;
  private final HandlerCreation creation;
  private final HandlerContainers containers;
  private final HandlerMonitor monitor;
  private final RoutePublisher routes;

  private final Semaphore starts = new Semaphore(PARALLEL_STARTS, true);

  /**
   * Functions of which something may be there that is no longer wanted: a handler that the gateway
   * still has, or what an earlier life or a change has left.
   */
  private final Set<FunctionName> retiring = ConcurrentHashMap.newKeySet();

  FunctionHandlers(
      FunctionStore store,
      FunctionImages images,
      HandlerCreation creation,
      HandlerContainers containers,
      HandlerMonitor monitor,
      RoutePublisher routes) {
    this.store = store;
    this.images = images;
    this.creation = creation;
    this.containers = containers;
    this.monitor = monitor;
    this.routes = routes;
  }

  Set<FunctionName> retiring() {
    return retiring;
  }

  /** Those of the found handlers that run this version as it is to run, running ones first. */
  public List<HandlerContainer> wanted(FunctionVersion version, List<HandlerContainer> found) {
    String fingerprint = creation.fingerprint(version, images.reference(version));
    return found.stream()
        .filter(handler -> handler.fingerprint().equals(fingerprint))
        .sorted((a, b) -> Boolean.compare(b.isRunning(), a.isRunning()))
        .toList();
  }

  HandlerContainer createAndStart(FunctionVersion version) {
    starts.acquireUninterruptibly();
    try {
      String image = images.reference(version);
      HandlerContainer created =
          creation.create(version, image, creation.fingerprint(version, image));
      try {
        monitor.of(created).started();
        containers.start(version, created);
      } catch (RuntimeException e) {
        removeQuietly(created);
        throw e;
      }
      return created.running();
    } finally {
      starts.release();
    }
  }

  /**
   * Removes images of versions that are no longer kept.
   *
   * @return whether none is left
   */
  boolean retainImages(FunctionName function) {
    return images.retain(
        function,
        store.versions(function).stream().map(images::reference).collect(Collectors.toSet()));
  }

  void removeAll(FunctionName function, List<HandlerContainer> found) {
    removeTogether(found);
    containers.removeTraces(function);
    if (images.retain(function, Set.of())) {
      retiring.remove(function);
    } else {
      retiring.add(function);
    }
  }

  /** One that hangs takes all of its grace; the others are not to wait for it. */
  void removeTogether(List<HandlerContainer> handlers) {
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

  void removeQuietly(HandlerContainer handler) {
    try {
      remove(handler, Duration.ZERO);
    } catch (RuntimeException e) {
      LOG.warnf(
          "event=handler-stop function=%s handler=%s outcome=failed reason=\"%s\"",
          handler.function(), handler.handler().id(), e.getMessage());
    }
  }

  Revision publish(FunctionVersion version, List<HandlerContainer> handlers) {
    return routes.put(
        route(
            version,
            handlers.stream()
                .filter(h -> h.isRunning() && monitor.of(h).isRoutable())
                .map(HandlerContainer::handler)
                .toList()));
  }

  static Route route(FunctionVersion version, List<Handler> handlers) {
    return new Route(
        version.function(),
        version.number(),
        version.spec().timeout().toMillis(),
        version.spec().exposure(),
        version.spec().calls(),
        version.spec().schedules(),
        version.spec().mayCall(),
        handlers);
  }
}
