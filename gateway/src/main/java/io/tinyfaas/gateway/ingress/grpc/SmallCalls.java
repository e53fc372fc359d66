package io.tinyfaas.gateway.ingress.grpc;

import io.grpc.BindableService;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCall.Listener;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthGrpc;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What health and reflection may take: they would hold a message of any size, for as long as a
 * client likes to leave it unfinished. And health is watched for as long as the client likes, so
 * that only a few may. On the event loop only.
 */
final class SmallCalls implements ServerInterceptor {

  /** All that a client says in a call, twice: it names services and symbols. */
  private static final int MAX_BYTES = 16 * 1024;

  /** Whoever watches needs one for each service that it asks for. */
  private static final int MAX_WATCHES_PER_CONNECTION = 2;

  private static final int MAX_WATCHES = 64;

  private static final String WATCH = HealthGrpc.getWatchMethod().getFullMethodName();

  private final EventLoop loop;
  private final Duration receiveTimeout;

  /** How many there are, by their connections. */
  private final Map<SocketAddress, Integer> watches = new HashMap<>();

  private int allWatches;

  SmallCalls(EventLoop loop, Duration receiveTimeout) {
    this.loop = loop;
    this.receiveTimeout = receiveTimeout;
  }

  /** Reads messages where this hears of those that are broken. */
  ServerServiceDefinition of(BindableService service) {
    return ServerInterceptors.intercept(
        ServerInterceptors.useInputStreamMessages(service.bindService()), this);
  }

  @Override
  public <Q, R> Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata metadata, ServerCallHandler<Q, R> next) {
    CallMemory memory = CallMemory.current();
    Bounded<Q, R> bounded = new Bounded<>(call);
    Runnable exhausted =
        () -> bounded.end(Status.RESOURCE_EXHAUSTED.withDescription("the message is too large"));
    if (!memory.hasRoom()) {
      return refused(bounded, memory, "the message is too large");
    }
    boolean watch = call.getMethodDescriptor().getFullMethodName().equals(WATCH);
    SocketAddress client = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    if (watch && !beginWatch(client)) {
      return refused(bounded, memory, "too many watch already; ask now and then instead");
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
        if (bounded.closed) {
          return;
        }
        try {
          super.onMessage(message);
        } catch (StatusRuntimeException broken) {
          bounded.end(Status.INVALID_ARGUMENT.withDescription("the message is broken"));
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
        ended();
        super.onCancel();
      }

      private void ended() {
        deadline.cancel(false);
        if (watch) {
          endWatch(client);
        }
      }

      @Override
      public void onComplete() {
        ended();
        super.onComplete();
        if (!bounded.whole) {
          memory.cancel(); // else its stream is there until the client ends it
        }
      }
    };
  }

  private static <Q, R> Listener<Q> refused(
      Bounded<Q, R> call, CallMemory memory, String description) {
    call.end(Status.RESOURCE_EXHAUSTED.withDescription(description));
    return new Listener<>() {
      @Override
      public void onComplete() {
        memory.cancel();
      }
    };
  }

  /**
   * @return false if there are enough
   */
  private boolean beginWatch(SocketAddress client) {
    int its = watches.getOrDefault(client, 0);
    if (its >= MAX_WATCHES_PER_CONNECTION || allWatches >= MAX_WATCHES) {
      return false;
    }
    watches.put(client, its + 1);
    allWatches++;
    return true;
  }

  private void endWatch(SocketAddress client) {
    watches.computeIfPresent(client, (its, count) -> count == 1 ? null : count - 1);
    allWatches--;
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
