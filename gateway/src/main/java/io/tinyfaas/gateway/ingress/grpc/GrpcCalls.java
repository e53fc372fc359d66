package io.tinyfaas.gateway.ingress.grpc;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.tinyfaas.gateway.ingress.grpc.GrpcMessages.Request;
import io.tinyfaas.gateway.ingress.grpc.GrpcResponses.Reply;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.loop.BugLog;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.vertx.core.impl.ContextInternal;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;

/** From each call to its answer. On the event loop only, but for {@link #sending}. */
final class GrpcCalls implements ServerCallHandler<Request, byte[]> {

  private static final BugLog BUGS =
      new BugLog(Logger.getLogger(GrpcCalls.class), "response-failed");

  /** An answer is there as it came, as a message, and as the kernel takes it. */
  private static final int COPIES = 3;

  /** Fewer than a handler takes of headers, as the gateway adds its own. */
  private static final int MAX_METADATA_ENTRIES = 90;

  private final GrpcSettings settings;
  private final ContextInternal context;
  private final Invoker invoker;
  private final BodyMemory memory;
  private final AtomicInteger sending = new AtomicInteger();

  GrpcCalls(GrpcSettings settings, ContextInternal context, Invoker invoker, BodyMemory memory) {
    this.settings = settings;
    this.context = context;
    this.invoker = invoker;
    this.memory = memory;
  }

  /** Answers that are on their way. On any thread. */
  int sending() {
    return sending.get();
  }

  @Override
  public ServerCall.Listener<Request> startCall(
      ServerCall<Request, byte[]> call, Metadata metadata) {
    Call started = new Call(call, metadata, CallMemory.current());
    started.begin();
    return started;
  }

  private final class Call extends ServerCall.Listener<Request> {

    private final ServerCall<Request, byte[]> call;
    private final Metadata metadata;
    private final CallMemory received;
    private ScheduledFuture<?> deadline;
    private Request request;
    private Invoker.Running running;
    private boolean whole;
    private boolean closed;
    private boolean sent;
    private long taken;

    Call(ServerCall<Request, byte[]> call, Metadata metadata, CallMemory received) {
      this.call = call;
      this.metadata = metadata;
      this.received = received;
    }

    void begin() {
      Runnable exhausted =
          () -> close(Status.RESOURCE_EXHAUSTED.withDescription("no memory for the message"));
      received.watch(Long.MAX_VALUE, exhausted);
      expect(
          settings.receiveTimeout(),
          () -> close(Status.DEADLINE_EXCEEDED.withDescription("the message came too slowly")));
      if (!received.hasRoom()) {
        exhausted.run();
        return;
      }
      if (received.entries() > MAX_METADATA_ENTRIES) {
        close(
            Status.INVALID_ARGUMENT.withDescription(
                "a call has at most " + MAX_METADATA_ENTRIES + " entries of metadata"));
        return;
      }
      call.request(2); // were there a second, it would be an error
    }

    private void expect(Duration within, Runnable late) {
      deadline = context.nettyEventLoop().schedule(late, within.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void onMessage(Request message) {
      if (closed) {
        return;
      }
      if (request != null) {
        close(Status.INVALID_ARGUMENT.withDescription("a call has one message"));
      }
      request = message;
    }

    @Override
    public void onHalfClose() {
      whole = true;
      if (closed) {
        return;
      }
      deadline.cancel(false);
      received.release();
      switch (request) {
        case Request.Data data -> context.dispatch(() -> invoke(data));
        case Request.Unreadable(String why) -> close(Status.INVALID_ARGUMENT.withDescription(why));
        case null -> close(Status.INVALID_ARGUMENT.withDescription("a call has one message"));
      }
    }

    private void invoke(Request.Data data) {
      if (closed) {
        return;
      }
      Invocation invocation;
      try {
        invocation = GrpcRequests.toInvocation(call, metadata, data);
      } catch (IllegalArgumentException e) {
        close(
            Status.INVALID_ARGUMENT.withDescription(
                "the metadata has what no header can: " + e.getMessage()));
        return;
      }
      running = invoker.start(invocation);
      running.result().onSuccess(this::answer);
    }

    private void answer(InvocationResult result) {
      if (closed) {
        return;
      }
      try {
        switch (GrpcResponses.toReply(result)) {
          case Reply.Text(byte[] text) -> send(text);
          case Reply.Failure(Status status) -> close(status);
        }
      } catch (RuntimeException bug) {
        BUGS.say(bug);
        close(Status.INTERNAL.withDescription("the gateway failed; its log says why"));
      }
    }

    private void send(byte[] text) {
      long bytes = COPIES * (long) text.length;
      if (!memory.takeMore(bytes, received.peer())) {
        close(Status.RESOURCE_EXHAUSTED.withDescription("no memory for the answer"));
        return;
      }
      taken = bytes;
      sending.incrementAndGet();
      sent = true;
      call.sendHeaders(new Metadata());
      call.sendMessage(text);
      close(Status.OK);
    }

    private void close(Status status) {
      if (!closed) {
        closed = true;
        deadline.cancel(false);
        call.close(status, new Metadata());
        expect(settings.sendTimeout(), received::cancel);
      }
    }

    @Override
    public void onComplete() {
      end();
      if (!whole) {
        received.cancel(); // else its stream is there until the client ends it
      }
    }

    /** The client's deadline has passed, or it has left, or it does not take the answer. */
    @Override
    public void onCancel() {
      end();
      if (running != null) {
        context.dispatch(running::callOff);
      }
    }

    private void end() {
      closed = true;
      deadline.cancel(false);
      memory.give(taken, received.peer());
      taken = 0;
      if (sent) {
        sent = false;
        sending.decrementAndGet();
      }
    }
  }
}
