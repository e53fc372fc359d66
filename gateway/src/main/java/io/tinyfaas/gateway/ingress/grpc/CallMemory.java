package io.tinyfaas.gateway.ingress.grpc;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.tinyfaas.gateway.invoke.BodyMemory;

/**
 * What one call holds of its message while it arrives: grpc-java bounds the message, this all of
 * them together. On the event loop only.
 */
final class CallMemory extends ServerStreamTracer {

  /** A message is there twice while it is parsed. */
  private static final int COPIES = 2;

  private static final Context.Key<CallMemory> KEY = Context.key("tinyfaas-call-memory");

  private static final Runnable NOBODY = () -> {};

  private final BodyMemory memory;
  private CancellableContext context;
  private Runnable exhausted = NOBODY;
  private long taken;
  private boolean done;

  private CallMemory(BodyMemory memory) {
    this.memory = memory;
  }

  /** For each call one. */
  static final class Factory extends ServerStreamTracer.Factory {

    private final BodyMemory memory;

    Factory(BodyMemory memory) {
      this.memory = memory;
    }

    @Override
    public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
      return new CallMemory(memory);
    }
  }

  /** That of the call whose handler runs. */
  static CallMemory current() {
    return KEY.get();
  }

  /**
   * @param exhausted is told when there is no room for the message
   */
  void watch(Runnable exhausted) {
    this.exhausted = exhausted;
  }

  /** The message has been parsed, or is not wanted. */
  void release() {
    done = true;
    exhausted = NOBODY;
    memory.give(taken);
    taken = 0;
  }

  /** Ends the call, whatever has been queued for it. */
  void cancel() {
    context.cancel(null);
  }

  @Override
  public Context filterContext(Context parent) {
    context = parent.withValue(KEY, this).withCancellation();
    return context;
  }

  @Override
  public void inboundWireSize(long bytes) {
    if (done) {
      return;
    }
    long more = COPIES * bytes;
    if (memory.take(more)) {
      taken += more;
    } else {
      Runnable tell = exhausted;
      release();
      tell.run();
    }
  }

  @Override
  public void streamClosed(Status status) {
    release();
  }
}
