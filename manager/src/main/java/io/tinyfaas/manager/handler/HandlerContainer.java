package io.tinyfaas.manager.handler;

import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Handler;

/**
 * A handler as the engine knows it.
 *
 * @param fingerprint tells whether it is what its function now wants
 * @param state in the engine's words: {@code created}, {@code running}, {@code exited}, …
 */
public record HandlerContainer(
    String container, FunctionName function, Handler handler, String fingerprint, String state) {

  public boolean isRunning() {
    return "running".equals(state);
  }

  /** The same after its start. */
  public HandlerContainer running() {
    return in("running");
  }

  HandlerContainer in(String state) {
    return new HandlerContainer(container, function, handler, fingerprint, state);
  }

  boolean isPaused() {
    return "paused".equals(state);
  }

  /** Created by a manager that did not live to start it. */
  public boolean wasNeverStarted() {
    return "created".equals(state);
  }
}
