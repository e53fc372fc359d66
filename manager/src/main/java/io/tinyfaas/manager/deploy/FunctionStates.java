package io.tinyfaas.manager.deploy;

import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.deploy.FunctionState.HandlerState;
import io.tinyfaas.manager.handler.EngineInventory;
import io.tinyfaas.manager.handler.HandlerContainer;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.reconcile.FunctionHandlers;
import io.tinyfaas.manager.reconcile.HandlerMonitor;
import io.tinyfaas.manager.store.FunctionStore;
import io.tinyfaas.manager.store.FunctionVersion;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Map;

/** What people see of functions: what is stored and what the engine says of its handlers. */
@ApplicationScoped
public class FunctionStates {

  private final FunctionStore store;
  private final EngineInventory engine;
  private final FunctionHandlers handlers;
  private final HandlerMonitor monitor;

  FunctionStates(
      FunctionStore store,
      EngineInventory engine,
      FunctionHandlers handlers,
      HandlerMonitor monitor) {
    this.store = store;
    this.engine = engine;
    this.handlers = handlers;
    this.monitor = monitor;
  }

  /**
   * @throws ProblemException {@code UNKNOWN_FUNCTION}, {@code ENGINE_UNAVAILABLE}
   */
  public FunctionState get(FunctionName name) {
    return describe(require(name), found().getOrDefault(name, List.of()));
  }

  /**
   * @throws ProblemException {@code ENGINE_UNAVAILABLE}
   */
  public List<FunctionState> list() {
    Map<FunctionName, List<HandlerContainer>> handlers = found();
    return store.functions().stream()
        .flatMap(name -> store.active(name).stream())
        .map(v -> describe(v, handlers.getOrDefault(v.function(), List.of())))
        .toList();
  }

  /** Those that can be rolled back to and the active one, oldest first. */
  public List<FunctionVersion> versions(FunctionName name) {
    require(name);
    return store.versions(name);
  }

  /**
   * The active version.
   *
   * @throws ProblemException {@code UNKNOWN_FUNCTION}
   */
  public FunctionVersion require(FunctionName name) {
    return store
        .active(name)
        .orElseThrow(
            () ->
                ProblemException.of(
                    ProblemType.UNKNOWN_FUNCTION,
                    "There is no function "
                        + name
                        + ": GET /functions lists those that there are, PUT /functions/"
                        + name
                        + " deploys it."));
  }

  private Map<FunctionName, List<HandlerContainer>> found() {
    try {
      return engine.handlers();
    } catch (RuntimeException e) {
      throw ProblemException.ofFailure(e);
    }
  }

  /** Without the handlers of an earlier version that only finish what they have begun. */
  private FunctionState describe(FunctionVersion version, List<HandlerContainer> found) {
    return new FunctionState(
        version,
        handlers.wanted(version, found).stream()
            .limit(version.spec().handlers())
            .map(
                h ->
                    new HandlerState(
                        h.handler().id(),
                        monitor.health(h),
                        monitor.restarts(h),
                        monitor.lastEnd(h)))
            .sorted((a, b) -> a.id().compareTo(b.id()))
            .toList());
  }
}
