package io.tinyfaas.gateway.loop;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.EventExecutor;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;
import jakarta.inject.Singleton;

/** Who runs on which event loop: nothing may hold up invocations (ADR 11). */
@Singleton
public final class EventLoops {

  private final ContextInternal invocations;
  private final ContextInternal broker;

  public EventLoops(Vertx vertx) {
    VertxInternal internal = (VertxInternal) vertx;
    invocations = internal.createEventLoopContext();
    broker =
        internal.createEventLoopContext(
            another(internal, invocations.nettyEventLoop()),
            null,
            Thread.currentThread().getContextClassLoader());
  }

  private static EventLoop another(VertxInternal vertx, EventLoop taken) {
    for (EventExecutor loop : vertx.getEventLoopGroup()) {
      if (loop != taken) {
        return (EventLoop) loop;
      }
    }
    return taken; // there is only one
  }

  /** Of the invocation path. */
  public ContextInternal invocations() {
    return invocations;
  }

  /** Of the connection to the broker. */
  public ContextInternal broker() {
    return broker;
  }
}
