package io.tinyfaas.gateway.result;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.invoke.ResultListener;
import io.tinyfaas.gateway.loop.BugLog;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.HeapBudget;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jboss.logging.Logger;

/**
 * The state of each observable function, or of each of its paths: its last result, by whatever
 * protocol it was asked. Those who tell it others hear of each change, once. On the invocation
 * loop, but for what is said otherwise.
 */
@Singleton
public final class LastResults implements ResultListener, RouteListener {

  private static final BugLog BUGS =
      new BugLog(Logger.getLogger(LastResults.class), "state-listener-failed");

  private final Function<String, Observable> functions;
  private final States states;
  private final Executor loop;
  private final List<StateListener> listeners = new ArrayList<>();
  private int tag = ThreadLocalRandom.current().nextInt();

  @Inject
  LastResults(InvocationLoop loop, HeapBudget budget, CurrentRoutes routes, Invoker invoker) {
    this(
        function ->
            routes
                .find(function)
                .map(its -> its.route().exposure().observable())
                .orElse(Observable.NO),
        budget.results(),
        task -> loop.context().runOnContext(on -> task.run()));
    invoker.addListener(this);
    routes.addListener(this);
  }

  /**
   * @param functions what of them can be observed
   * @param max in bytes
   * @param loop where all of it happens
   */
  LastResults(Function<String, Observable> functions, long max, Executor loop) {
    this.loop = loop;
    this.functions = functions;
    this.states = new States(max);
  }

  /** To be called before the first result. */
  public void addListener(StateListener listener) {
    listeners.add(listener);
  }

  /**
   * What a request for this path asks to observe; empty if that has no state. A query makes another
   * resource, which has none either.
   *
   * @param path as the handler is told it; null for none
   */
  public Optional<Resource> find(String function, String path) {
    return switch (functions.apply(function)) {
      case NO -> Optional.empty();
      case FUNCTION ->
          path == null || path.isEmpty() ? Optional.of(Resource.of(function)) : Optional.empty();
      case PATH -> Resource.of(function, path);
    };
  }

  /** Empty if there is none yet, or none any more. */
  public Optional<LastResult> get(Resource resource) {
    return states.get(resource);
  }

  /** Those that have a state; a snapshot. */
  List<Resource> all() {
    return states.all();
  }

  /** Whatever its query was. An error is no new state. */
  @Override
  public void onResult(Invocation invocation, Answered answer) {
    String function = invocation.function();
    switch (functions.apply(function)) {
      case NO -> {
        // it was observable when it was asked
      }
      case FUNCTION -> take(Resource.of(function), Observable.FUNCTION, answer);
      case PATH ->
          Resource.of(function, invocation.headers().get(HandlerHttp.PATH_HEADER))
              .ifPresent(resource -> take(resource, Observable.PATH, answer));
    }
  }

  private void take(Resource resource, Observable how, Answered answer) {
    LastResult state = LastResult.of(answer, tag).orElse(null);
    if (state == null || states.get(resource).filter(its -> !state.differsFrom(its)).isPresent()) {
      return;
    }
    tag++;
    List<Resource> forgotten = new ArrayList<>();
    boolean hasRoom = states.put(resource, how, state, this::isObserved, forgotten);
    forgotten.forEach(each -> tell(listener -> listener.onForgotten(each)));
    tell(
        hasRoom
            ? listener -> listener.onChanged(resource)
            : listener -> listener.onNoRoom(resource));
  }

  private boolean isObserved(Resource resource) {
    return listeners.stream().anyMatch(listener -> listener.isObserved(resource));
  }

  /** On any thread. */
  @Override
  public void onTableApplied() {
    loop.execute(this::followTable);
  }

  /** Of a function that is observable in another way now, the states were others. */
  private void followTable() {
    for (Resource gone : states.removeUnless(functions::apply)) {
      tell(listener -> listener.onForgotten(gone));
    }
  }

  private void tell(Consumer<StateListener> what) {
    for (StateListener listener : listeners) {
      BUGS.guard(() -> what.accept(listener));
    }
  }
}
