package io.tinyfaas.gateway.callback;

import io.vertx.core.Future;

/** An attempt that is under way; on the invocation loop. */
public interface Telling {

  /** Never fails: whatever comes of it is an outcome. */
  Future<Outcome> outcome();

  /** Nobody wants it any more. */
  void callOff();
}
