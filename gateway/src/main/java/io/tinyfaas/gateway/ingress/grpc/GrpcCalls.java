package io.tinyfaas.gateway.ingress.grpc;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.gateway.call.CallOptions;
import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.ingress.grpc.GrpcMessages.Request;
import io.tinyfaas.gateway.ingress.grpc.GrpcResponses.Reply;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.loop.BugLog;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.metrics.InvocationMetrics;
import io.vertx.core.impl.ContextInternal;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/** From each call to its answer. On the event loop only, but for {@link #sending}. */
final class GrpcCalls implements ServerCallHandler<Request, byte[]> {

  private static final BugLog BUGS =
      new BugLog(Logger.getLogger(GrpcCalls.class), "response-failed");

  /** An answer is there as it came, as a message, and as the kernel takes it. */
  private static final int COPIES = 3;

  /** Fewer than a handler takes of headers, as the gateway adds its own. */
  private static final int MAX_METADATA_ENTRIES = 90;

  private static final Metadata.Key<String> CALL =
      Metadata.Key.of(HandlerHttp.CALL_HEADER, Metadata.ASCII_STRING_MARSHALLER);

  private static final byte[] NO_TEXT = new byte[0];

  private final GrpcSettings settings;
  private final ContextInternal context;
  private final Invoker invoker;
  private final Calls calls;
  private final InvocationMetrics metrics;
  private final BodyMemory memory;
  private final AtomicInteger sending = new AtomicInteger();

  GrpcCalls(
      GrpcSettings settings,
      ContextInternal context,
      Invoker invoker,
      Calls calls,
      InvocationMetrics metrics,
      BodyMemory memory) {
    this.settings = settings;
    this.context = context;
    this.invoker = invoker;
    this.calls = calls;
    this.metrics = metrics;
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
      if (GrpcRequests.isAsync(metadata) || calls.isDurable(invocation.function())) {
        accept(invocation);
      } else {
        running = invoker.start(invocation);
        running.result().onSuccess(result -> answer(() -> GrpcResponses.toReply(result)));
      }
    }

    private void accept(Invocation invocation) {
      CallOptions options;
      try {
        options = CallOptions.of(GrpcRequests.toGateway(metadata));
      } catch (IllegalArgumentException e) {
        metrics.refused(Protocol.GRPC, "bad_request");
        close(Status.INVALID_ARGUMENT.withDescription(e.getMessage()));
        return;
      }
      calls
          .accept(invocation, options)
          .onSuccess(
              acceptance -> {
                acceptance.refusal().ifPresent(outcome -> metrics.refused(Protocol.GRPC, outcome));
                answer(() -> GrpcResponses.toReply(acceptance));
              });
    }

    private void answer(Supplier<Reply> reply) {
      if (closed) {
        return;
      }
      try {
        switch (reply.get()) {
          case Reply.Text(byte[] text) -> send(text, new Metadata());
          case Reply.Accepted(CallId id) -> {
            Metadata header = new Metadata();
            header.put(CALL, id.value());
            send(NO_TEXT, header);
          }
          case Reply.Failure(Status status) -> close(status);
        }
      } catch (RuntimeException bug) {
        BUGS.say(bug);
        close(Status.INTERNAL.withDescription("the gateway failed; its log says why"));
      }
    }

    private void send(byte[] text, Metadata header) {
      long bytes = COPIES * (long) text.length;
      if (!memory.takeMore(bytes, received.peer())) {
        close(Status.RESOURCE_EXHAUSTED.withDescription("no memory for the answer"));
        return;
      }
      taken = bytes;
      sending.incrementAndGet();
      sent = true;
      call.sendHeaders(header);
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
