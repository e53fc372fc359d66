package io.tinyfaas.gateway.route;

import java.util.Collection;

/** Hears what becomes of routes, on the thread that caused it; must not block, but where it may. */
public interface RouteListener {

  /**
   * Another table is routed as soon as this returns. It may block, and is called by one thread at a
   * time.
   *
   * @param functions of that table, with their handlers
   */
  default void onTableComing(Collection<RoutedFunction> functions) {}

  /** Another table is routed by now. */
  default void onTableApplied() {}

  /** The handler is out of the table and answers nothing any more; it is never picked again. */
  default void onHandlerIdle(RoutedHandler handler) {}

  /** The function is out of the table; its last invocations may still be running. */
  default void onFunctionRemoved(String function) {}
}
