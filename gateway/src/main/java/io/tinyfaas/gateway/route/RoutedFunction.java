package io.tinyfaas.gateway.route;

import io.tinyfaas.contract.route.Route;
import io.tinyfaas.gateway.memory.Holder;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** A function in one table. */
public final class RoutedFunction {

  private final Route route;
  private final List<RoutedHandler> handlers;
  private final AtomicInteger inFlight;
  private final Holder holder;
  private final AtomicInteger turn = new AtomicInteger();

  RoutedFunction(Route route, List<RoutedHandler> handlers) {
    this(route, handlers, new AtomicInteger(), new Holder());
  }

  private RoutedFunction(
      Route route, List<RoutedHandler> handlers, AtomicInteger inFlight, Holder holder) {
    this.route = route;
    this.handlers = List.copyOf(handlers);
    this.inFlight = inFlight;
    this.holder = holder;
  }

  /** In the next table, with what it has and what is running. */
  RoutedFunction next(Route its, List<RoutedHandler> handlersThen) {
    return new RoutedFunction(its, handlersThen, inFlight, holder);
  }

  public Route route() {
    return route;
  }

  /** The invocations of the function that are running. */
  public AtomicInteger inFlight() {
    return inFlight;
  }

  /** What it has of memory, in whatever table. */
  public Holder holder() {
    return holder;
  }

  /** Whether its handlers have sockets by which they call other functions. */
  public boolean mayCall() {
    return !route.mayCall().isEmpty();
  }

  public boolean hasOneHandler() {
    return handlers.size() == 1;
  }

  /**
   * The handler with the fewest invocations, by turns among equals, and one that has just refused a
   * connection only if there is no other.
   *
   * @param tried those that are out of question
   */
  public Optional<RoutedHandler> pick(Collection<RoutedHandler> tried) {
    int count = handlers.size();
    RoutedHandler best = null;
    long least = Long.MAX_VALUE;
    int first = count > 1 ? Math.floorMod(turn.getAndIncrement(), count) : 0;
    for (int i = 0; i < count; i++) {
      RoutedHandler handler = handlers.get((first + i) % count);
      long load = handler.inFlight() + (handler.isAvoided() ? Integer.MAX_VALUE : 0L);
      if (load < least && !tried.contains(handler)) {
        best = handler;
        least = load;
      }
    }
    return Optional.ofNullable(best);
  }

  public List<RoutedHandler> handlers() {
    return handlers;
  }
}
