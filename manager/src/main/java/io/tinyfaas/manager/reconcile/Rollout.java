package io.tinyfaas.manager.reconcile;

import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.manager.handler.HandlerContainer;
import io.tinyfaas.manager.handler.HandlerContainers;
import io.tinyfaas.manager.handler.HandlerCreation;
import io.tinyfaas.manager.image.FunctionImages;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.route.RoutePublisher;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.store.FunctionVersion;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Brings a version of a function up beside what runs of it, and takes it back if it was not to be.
 * The caller sees to it that nobody else changes the function meanwhile.
 */
@ApplicationScoped
public class Rollout {

  /** A gateway that is there takes a table over within a few milliseconds. */
  private static final Duration GATEWAY_TIMEOUT = Duration.ofSeconds(10);

  /** How long a caller who is told of a failure is kept for a gateway that may not be there. */
  private static final Duration REVERT_TIMEOUT = Duration.ofSeconds(1);

  private final FunctionStore store;
  private final FunctionImages images;
  private final HandlerCreation creation;
  private final HandlerContainers containers;
  private final HandlerMonitor monitor;
  private final RoutePublisher routes;
  private final FunctionHandlers handlers;
  private final FunctionRunner runner;

  Rollout(
      FunctionStore store,
      FunctionImages images,
      HandlerCreation creation,
      HandlerContainers containers,
      HandlerMonitor monitor,
      RoutePublisher routes,
      FunctionHandlers handlers,
      FunctionRunner runner) {
    this.store = store;
    this.images = images;
    this.creation = creation;
    this.containers = containers;
    this.monitor = monitor;
    this.routes = routes;
    this.handlers = handlers;
    this.runner = runner;
  }

  /**
   * Brings a version up beside what runs, and returns when the gateway routes to it and to nothing
   * else.
   *
   * @throws ProblemException if it does not start, or the gateway does not take it over
   */
  public void serve(FunctionVersion version) {
    routes.requireGateway();
    routes.requireRoom(FunctionHandlers.route(version, List.of()));
    handlers.retiring().add(version.function());
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
    if (!runner.isSettled(function, containers.list(function))) {
      runner.reconcile(function, () -> false);
      serve(active);
    }
  }

  /**
   * Routes to what ran before a version that was not to be, and removes what was made for that one;
   * of its handlers, those that the gateway may have seen are left to {@link
   * FunctionRunner#reconcile}. Where the version before cannot be read, what runs stays: it may be
   * the last there is of it.
   */
  public void revert(FunctionVersion failed, Optional<FunctionVersion> before) {
    FunctionName function = failed.function();
    if (before.isPresent()) {
      Revision revision =
          handlers.publish(before.get(), handlers.wanted(before.get(), containers.list(function)));
      routes.awaitApplied(revision, REVERT_TIMEOUT);
      handlers.retainImages(function);
    } else if (store.isUnreadable(function)) {
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
    creation.requireRoom(version.spec());
    images.ensure(version);
    List<HandlerContainer> up =
        handlers.wanted(version, containers.list(version.function())).stream()
            .filter(handler -> handler.isRunning() && monitor.answers(handler))
            .limit(version.spec().handlers())
            .collect(Collectors.toCollection(ArrayList::new));
    List<HandlerContainer> made = new ArrayList<>();
    try {
      while (up.size() + made.size() < version.spec().handlers()) {
        made.add(handlers.createAndStart(version));
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
      made.forEach(handlers::removeQuietly);
      throw e;
    }
    up.addAll(made);
    return FunctionHandlers.route(version, up.stream().map(HandlerContainer::handler).toList());
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
    handlers.removeAll(function, found);
  }
}
