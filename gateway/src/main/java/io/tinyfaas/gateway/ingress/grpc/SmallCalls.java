package io.tinyfaas.gateway.ingress.grpc;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCall.Listener;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * What health and reflection may take: they would hold a message of any size, for as long as a
 * client likes to leave it unfinished. On the event loop only.
 */
final class SmallCalls implements ServerInterceptor {

  /** All that a client says in a call, twice: it names services and symbols. */
  private static final int MAX_BYTES = 16 * 1024;

  private final EventLoop loop;
  private final Duration receiveTimeout;

  SmallCalls(EventLoop loop, Duration receiveTimeout) {
    this.loop = loop;
    this.receiveTimeout = receiveTimeout;
  }

  @Override
  public <Q, R> Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata metadata, ServerCallHandler<Q, R> next) {
    CallMemory memory = CallMemory.current();
    Bounded<Q, R> bounded = new Bounded<>(call);
    Runnable exhausted =
        () -> bounded.end(Status.RESOURCE_EXHAUSTED.withDescription("the message is too large"));
    if (!memory.hasRoom()) {
      exhausted.run();
      return new Listener<>() {
        @Override
        public void onComplete() {
          memory.cancel();
        }
      };
    }
    memory.watch(MAX_BYTES, exhausted);
    ScheduledFuture<?> deadline =
        loop.schedule(
            () ->
                bounded.end(
                    Status.DEADLINE_EXCEEDED.withDescription("the message came too slowly")),
            receiveTimeout.toMillis(),
            TimeUnit.MILLISECONDS);
    return new SimpleForwardingServerCallListener<>(next.startCall(bounded, metadata)) {

      @Override
      public void onMessage(Q message) {
        if (!bounded.closed) {
          super.onMessage(message);
        }
      }

      @Override
      public void onHalfClose() {
        bounded.whole = true;
        deadline.cancel(false);
        memory.release();
        if (!bounded.closed) {
          super.onHalfClose();
        }
      }

      @Override
      public void onCancel() {
        deadline.cancel(false);
        super.onCancel();
      }

      @Override
      public void onComplete() {
        deadline.cancel(false);
        super.onComplete();
        if (!bounded.whole) {
          memory.cancel(); // else its stream is there until the client ends it
        }
      }
    };
  }

  /** Ends once, whoever ends it. */
  private static final class Bounded<Q, R> extends SimpleForwardingServerCall<Q, R> {

    private boolean whole;
    private boolean closed;

    Bounded(ServerCall<Q, R> call) {
      super(call);
    }

    void end(Status status) {
      close(status, new Metadata());
    }

    @Override
    public void sendHeaders(Metadata headers) {
      if (!closed) {
        super.sendHeaders(headers);
      }
    }

    @Override
    public void sendMessage(R message) {
      if (!closed) {
        super.sendMessage(message);
      }
    }

    @Override
    public void close(Status status, Metadata trailers) {
      if (!closed) {
        closed = true;
        super.close(status, trailers);
      }
    }
  }
}
