package io.tinyfaas.contract.control;

import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * All routes, one immutable snapshot: what the manager publishes and the gateway swaps in whole.
 *
 * @param revision tells a newer table from a stale one
 */
public record RouteTable(Revision revision, List<Route> routes) {

  /** What a gateway knows before it has heard from a manager. */
  public static final RouteTable EMPTY = new RouteTable(Revision.NONE, List.of());

  /**
   * @throws IllegalArgumentException if two routes have the same function
   */
  public RouteTable {
    routes = List.copyOf(routes);
    Set<FunctionName> seen = new HashSet<>();
    for (Route route : routes) {
      if (!seen.add(route.function())) {
        throw new IllegalArgumentException("two routes for " + route.function());
      }
    }
  }
}
