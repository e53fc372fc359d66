package io.tinyfaas.gateway.route;

import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.control.RouteTable;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.contract.route.Schedule;
import io.tinyfaas.gateway.loop.BugLog;
import io.tinyfaas.gateway.memory.TableMemory;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jboss.logging.Logger;

/**
 * The table that invocations are routed by: an immutable snapshot, swapped whole, read from any
 * thread without a lock. Handlers that left it are kept here until they are idle.
 */
@Singleton
public final class CurrentRoutes {

  private static final BugLog BUGS =
      new BugLog(Logger.getLogger(CurrentRoutes.class), "route-listener-failed");

  private record Snapshot(Revision revision, Map<String, RoutedFunction> functions) {}

  /**
   * @param draining ids of handlers that are not in the table and still answer an invocation
   */
  public record Applied(Revision revision, Set<String> draining) {}

  private final TableMemory memory;
  private final List<RouteListener> listeners = new CopyOnWriteArrayList<>();
  private volatile Snapshot current = new Snapshot(Revision.NONE, Map.of());

  /** By id; guarded by this, as are all changes. */
  private final Map<String, RoutedHandler> draining = new HashMap<>();

  public CurrentRoutes(TableMemory memory) {
    this.memory = memory;
  }

  public void addListener(RouteListener listener) {
    listeners.add(listener);
  }

  public Optional<RoutedFunction> find(String function) {
    return Optional.ofNullable(current.functions.get(function));
  }

  /** Of all functions, in no order. */
  public List<Route> routes() {
    return current.functions.values().stream().map(RoutedFunction::route).toList();
  }

  public Revision revision() {
    return current.revision;
  }

  /** False until the first table has come: then that a function is not found means nothing. */
  public boolean areKnown() {
    return !current.revision.equals(Revision.NONE);
  }

  public synchronized Applied applied() {
    return new Applied(current.revision, Set.copyOf(draining.keySet()));
  }

  /**
   * Routes by this table from now on. By one thread at a time, and not the invocation loop: others
   * prepare for it first.
   *
   * @return false if the table is not newer than the current one, which then stays
   * @throws IllegalArgumentException if there is too little memory for it; the current one stays
   */
  public boolean apply(RouteTable table) {
    Map<String, RoutedHandler> leaving = new HashMap<>();
    Map<String, RoutedFunction> before;
    Map<String, RoutedFunction> functions;
    synchronized (this) {
      if (!table.revision().isNewerThan(current.revision)) {
        return false;
      }
      hold(table);
      before = current.functions;
      before.values().stream()
          .flatMap(function -> function.handlers().stream())
          .forEach(handler -> leaving.put(handler.handler().id(), handler));
      functions = next(table, before, leaving);
    }
    tell(listener -> listener.onTableComing(functions.values()));
    List<RoutedHandler> idle = new ArrayList<>();
    synchronized (this) {
      current = new Snapshot(table.revision(), functions);
      for (RoutedHandler handler : leaving.values()) {
        if (handler.retire()) {
          draining.put(handler.handler().id(), handler);
        } else {
          idle.add(handler);
        }
      }
    }
    idle.forEach(handler -> tell(listener -> listener.onHandlerIdle(handler)));
    before.keySet().stream()
        .filter(name -> !functions.containsKey(name))
        .forEach(function -> tell(listener -> listener.onFunctionRemoved(function)));
    tell(RouteListener::onTableApplied);
    return true;
  }

  /** Takes those that stay out of those that are leaving. */
  private Map<String, RoutedFunction> next(
      RouteTable table, Map<String, RoutedFunction> before, Map<String, RoutedHandler> leaving) {
    Map<String, RoutedFunction> functions = HashMap.newHashMap(table.routes().size());
    for (Route route : table.routes()) {
      String name = route.function().value();
      RoutedFunction old = before.get(name);
      List<RoutedHandler> handlers =
          route.handlers().stream().map(handler -> known(handler, leaving)).toList();
      functions.put(
          name, old == null ? new RoutedFunction(route, handlers) : old.next(route, handlers));
    }
    return functions;
  }

  private void hold(RouteTable table) {
    List<Schedule> schedules =
        table.routes().stream().flatMap(route -> route.schedules().stream()).toList();
    List<String> topics =
        table.routes().stream()
            .flatMap(route -> route.triggers().stream())
            .map(trigger -> trigger.topic().value())
            .toList();
    memory.holdFunctions(
        table.routes().size(),
        table.routes().stream().mapToInt(route -> route.handlers().size()).sum(),
        table.routes().stream()
            .filter(route -> !route.mayCall().isEmpty())
            .mapToInt(route -> route.handlers().size())
            .sum(),
        schedules.size(),
        topics.stream()
            .mapToInt(topic -> 1 + (int) topic.chars().filter(c -> c == '/').count())
            .sum(),
        schedules.stream().mapToLong(its -> its.body().length() + its.path().length()).sum()
            + topics.stream().mapToLong(String::length).sum());
  }

  /** All of them: where one fails, the others would route by what is gone. */
  private void tell(Consumer<RouteListener> what) {
    for (RouteListener listener : listeners) {
      BUGS.guard(() -> what.accept(listener));
    }
  }

  /** The handler as the gateway knows it already, with what it is answering, or anew. */
  private RoutedHandler known(Handler handler, Map<String, RoutedHandler> leaving) {
    for (Map<String, RoutedHandler> place : List.of(leaving, draining)) {
      RoutedHandler known = place.get(handler.id());
      if (known != null && known.handler().equals(handler)) {
        place.remove(handler.id());
        known.reinstate();
        return known;
      }
    }
    return new RoutedHandler(handler, this::released);
  }

  /** A handler that left the table has answered its last invocation. */
  private void released(RoutedHandler handler) {
    synchronized (this) {
      boolean gone = handler.isRetired() && handler.inFlight() == 0;
      if (!gone || !draining.remove(handler.handler().id(), handler)) {
        return;
      }
    }
    tell(listener -> listener.onHandlerIdle(handler));
  }
}
