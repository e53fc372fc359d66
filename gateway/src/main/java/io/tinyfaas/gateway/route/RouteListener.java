package io.tinyfaas.gateway.route;

/** Hears what becomes of routes, on the thread that caused it; must not block. */
public interface RouteListener {

  /** Another table is routed by now. */
  default void onTableApplied() {}

  /** The handler is out of the table and answers nothing any more; it is never picked again. */
  default void onHandlerIdle(RoutedHandler handler) {}

  /** The function is out of the table; its last invocations may still be running. */
  default void onFunctionRemoved(String function) {}
}
