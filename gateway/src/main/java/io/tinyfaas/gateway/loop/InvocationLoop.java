package io.tinyfaas.gateway.loop;

import io.vertx.core.impl.ContextInternal;
import jakarta.inject.Singleton;

/**
 * The one event loop of the invocation path: every ingress, the invoker and the connections to
 * handlers run on it, so that no invocation waits for another thread.
 */
@Singleton
public final class InvocationLoop {

  private final ContextInternal context;

  public InvocationLoop(EventLoops loops) {
    this.context = loops.invocations();
  }

  /** Servers that are made on this context run on the loop. */
  public ContextInternal context() {
    return context;
  }
}
