package io.tinyfaas.gateway.result;

/** Hears what becomes of states, on the invocation loop; must not block. */
public interface StateListener {

  /** It has another state than before, once for each of them. */
  void onChanged(Resource resource);

  /** It has none any more: nobody observed it, or the function is gone or not observable so. */
  void onForgotten(Resource resource);

  /** It has none, though it is observed: all that are observed do not fit into memory. */
  void onNoRoom(Resource resource);

  /** Whether somebody waits for its changes, so that it must not be forgotten. */
  boolean isObserved(Resource resource);
}
