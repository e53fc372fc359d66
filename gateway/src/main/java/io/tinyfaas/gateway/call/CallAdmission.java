package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.gateway.call.Acceptance.Accepted;
import io.tinyfaas.gateway.call.Acceptance.KeyReused;
import io.tinyfaas.gateway.call.Acceptance.NoCallback;
import io.tinyfaas.gateway.call.Acceptance.NotStored;
import io.tinyfaas.gateway.call.Acceptance.Refused;
import io.tinyfaas.gateway.call.Acceptance.TooMany;
import io.tinyfaas.gateway.call.Call.Kept;
import io.tinyfaas.gateway.call.Call.Origin;
import io.tinyfaas.gateway.callback.Callback;
import io.tinyfaas.gateway.callback.Callback.OfFunction;
import io.tinyfaas.gateway.callback.Callbacks;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.InvocationResult.BadRequest;
import io.tinyfaas.gateway.invoke.InvocationResult.Unauthorized;
import io.tinyfaas.gateway.invoke.InvocationResult.UnknownFunction;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.journal.Batch;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.Holder;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RoutedFunction;
import io.vertx.core.Future;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * Which requests become calls: those that would run and have room, once they are on disk. On the
 * invocation loop, but for {@link #accepting}.
 */
final class CallAdmission {

  /** Of a call on disk, besides its request. */
  private static final int STATE_BYTES = 512;

  /** A request in memory until it is on disk, and as it is written. */
  private static final int COPIES = 2;

  private final CallStore store;
  private final CallIndex index;
  private final CallRunner runner;
  private final CallClock clock;
  private final CallMetrics metrics;
  private final CurrentRoutes routes;
  private final Function<Invocation, Optional<BadRequest>> check;
  private final Callbacks callbacks;
  private final BodyMemory memory;
  private final PeerHolders peers;

  /** Of calls that are being written. */
  private final Map<CallId, Future<Acceptance>> pending = new HashMap<>();

  private final AtomicInteger accepting = new AtomicInteger();

  /**
   * @param check as {@link Invoker#refusal}
   */
  CallAdmission(
      CallStore store,
      CallIndex index,
      CallRunner runner,
      CallClock clock,
      CallMetrics metrics,
      CurrentRoutes routes,
      Function<Invocation, Optional<BadRequest>> check,
      Callbacks callbacks,
      BodyMemory memory,
      PeerHolders peers) {
    this.store = store;
    this.index = index;
    this.runner = runner;
    this.clock = clock;
    this.metrics = metrics;
    this.routes = routes;
    this.check = check;
    this.callbacks = callbacks;
    this.memory = memory;
    this.peers = peers;
  }

  /** Those of which the client has still to hear that they are on disk. On any thread. */
  int accepting() {
    return accepting.get();
  }

  /** Whether its first record is being written. */
  boolean isPending(Call call) {
    return pending.containsKey(call.id());
  }

  /** As {@link Calls#accept(Invocation, CallOptions, Beside)}. */
  Future<Acceptance> accept(Invocation invocation, CallOptions options, Beside beside) {
    Optional<Acceptance> refusal = refusal(invocation, options);
    if (refusal.isPresent()) {
      return Future.succeededFuture(refusal.get());
    }
    Optional<IdempotencyKey> key = options.key().map(name -> IdempotencyKey.of(name, invocation));
    Optional<Call> known = key.flatMap(name -> index.find(name.key()));
    if (known.isPresent()) {
      Call call = known.get();
      return call.origin().key().equals(key)
          ? pending.getOrDefault(call.id(), Future.succeededFuture(new Accepted(call.id())))
          : Future.succeededFuture(new KeyReused());
    }
    CallRequest whole =
        new CallRequest(
            invocation, options.callback().filter(to -> !(to instanceof OfFunction)), false);
    byte[] request = CallRecords.ofRequest(whole);
    Holder peer = invocation.holder(peers);
    long held = COPIES * (long) request.length;
    if (!hasRoom(invocation.function(), request.length) || !memory.take(held, peer)) {
      return Future.succeededFuture(new TooMany());
    }
    long number = beside.number().orElseGet(store::nextNumber);
    Call call = call(number, invocation, options, key, request.length);
    index.add(call);
    Batch batch = CallStore.add(new Batch(), call, request);
    beside.write(batch, call.id());
    accepting.incrementAndGet();
    Future<Acceptance> accepted =
        store
            .write(batch)
            .onComplete(written -> accepting.decrementAndGet())
            .map(written -> accepted(call, whole, () -> memory.give(held, peer)))
            .otherwise(full -> notStored(call, beside, () -> memory.give(held, peer)));
    if (!accepted.isComplete()) {
      pending.put(call.id(), accepted);
    }
    return accepted;
  }

  private Optional<Acceptance> refusal(Invocation invocation, CallOptions options) {
    String name = invocation.function();
    boolean known = routes.areKnown(); // before the look: a table may come in between
    Optional<RoutedFunction> found = routes.find(name);
    if (found.isEmpty() && (known || !FunctionName.isValid(name))) {
      return Optional.of(new Refused(new UnknownFunction()));
    }
    boolean devicesOnly =
        found.filter(its -> its.route().exposure().access() == Access.DEVICE).isPresent();
    if (devicesOnly && !invocation.isOfDevice()) {
      return Optional.of(new Refused(new Unauthorized()));
    }
    Optional<InvocationResult> unsendable = check.apply(invocation).map(bad -> bad);
    if (unsendable.isPresent()) {
      return unsendable.map(Refused::new);
    }
    return options.callback().flatMap(this::refusal).map(NoCallback::new);
  }

  private Optional<String> refusal(Callback callback) {
    boolean isUnknown =
        callback instanceof OfFunction(FunctionName to)
            && routes.areKnown()
            && routes.find(to.value()).isEmpty();
    return isUnknown
        ? Optional.of(callback.text() + " is not deployed")
        : callbacks.refusal(callback);
  }

  /** What is done gives way to what can be accepted then, and to nothing else. */
  private boolean hasRoom(String function, int bytes) {
    if (!index.hasRoom(function, bytes)) {
      return false;
    }
    if (index.isFull()) {
      index.oldestDone().ifPresent(runner::forget);
    }
    if (!store.hasRoom(bytes + STATE_BYTES)) {
      index.oldestDone().ifPresent(runner::forget);
    }
    return !index.isFull() && store.hasRoom(bytes + STATE_BYTES);
  }

  private Call call(
      long number,
      Invocation invocation,
      CallOptions options,
      Optional<IdempotencyKey> key,
      int bytes) {
    Origin origin =
        new Origin(
            store.newId(),
            number,
            invocation.function(),
            invocation.protocol(),
            invocation.device(),
            options.callback().filter(OfFunction.class::isInstance).map(Callback::text).orElse(""),
            "",
            invocation.lineage().depth(),
            key,
            bytes);
    long now = clock.now();
    long due =
        options.notBefore().map(Instant::toEpochMilli).orElse(now + options.delay().toMillis());
    return new Call(origin, now, Math.max(now, due), options.notBefore().isPresent());
  }

  private Acceptance accepted(Call call, CallRequest request, Runnable written) {
    pending.remove(call.id());
    metrics.accepted();
    if (call.isForgotten()) {
      written.run();
      return new Accepted(call.id());
    }
    if (runner.isReady(call)) {
      call.keep(new Kept(request, written));
    } else {
      written.run();
    }
    runner.add(call);
    return new Accepted(call.id());
  }

  /**
   * Nothing is written of it: the journal passes over what has failed, and a disk that takes
   * nothing would be asked for ever.
   */
  private Acceptance notStored(Call call, Beside beside, Runnable given) {
    pending.remove(call.id());
    given.run();
    if (!call.isForgotten()) {
      beside.failed(call.origin().number());
      index.remove(call);
      call.forget();
    }
    return new NotStored();
  }
}
