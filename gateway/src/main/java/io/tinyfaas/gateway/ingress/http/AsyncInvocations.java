package io.tinyfaas.gateway.ingress.http;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.BadAnswer;
import io.tinyfaas.gateway.invoke.InvocationResult.BadRequest;
import io.tinyfaas.gateway.invoke.InvocationResult.NoHandler;
import io.tinyfaas.gateway.invoke.InvocationResult.NoRouteTable;
import io.tinyfaas.gateway.invoke.InvocationResult.Overloaded;
import io.tinyfaas.gateway.invoke.InvocationResult.PeerOverloaded;
import io.tinyfaas.gateway.invoke.InvocationResult.Stopping;
import io.tinyfaas.gateway.invoke.InvocationResult.TimedOut;
import io.tinyfaas.gateway.invoke.InvocationResult.Unauthorized;
import io.tinyfaas.gateway.invoke.InvocationResult.UnknownFunction;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.tinyfaas.gateway.memory.Places;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.InetAddress;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Invocations whose answer nobody waits for. One that has been accepted runs: where there is no
 * route table yet, no handler takes it, or too much is running, it is tried again for two minutes.
 * It does not outlive the gateway. On the event loop only, but for {@link #waiting}.
 */
@Singleton
final class AsyncInvocations {

  private static final long FIRST_DELAY_MILLIS = 250;
  private static final long MAX_DELAY_MILLIS = 8_000;
  private static final long GIVE_UP_MILLIS = 120_000;

  private final Vertx vertx;
  private final Invoker invoker;
  private final BodyMemory memory;
  private final PeerHolders peers;
  private final Places<InetAddress> places;
  private final long maxBytes;
  private final AtomicInteger accepted = new AtomicInteger();
  private final AtomicInteger waiting = new AtomicInteger();
  private final Counter ran;
  private final Counter dropped;
  private long bytes;

  AsyncInvocations(
      Vertx vertx,
      Invoker invoker,
      BodyMemory memory,
      PeerHolders peers,
      Limits limits,
      MeterRegistry registry) {
    this.vertx = vertx;
    this.invoker = invoker;
    this.memory = memory;
    this.peers = peers;
    this.places = new Places<>(limits.count());
    this.maxBytes = limits.bytes();
    registry.gauge("tinyfaas.async.accepted", accepted);
    this.ran = counter(registry, "ran");
    this.dropped = counter(registry, "dropped");
  }

  /** How many, and of how many bytes. */
  @Singleton
  record Limits(int count, long bytes) {
    @Inject
    Limits(HttpSettings settings, HeapSettings heap) {
      this(
          settings.maxAsync(),
          Math.max(settings.maxAsyncBytes().asLongValue(), heap.maxBody().asLongValue()));
    }
  }

  private static Counter counter(MeterRegistry registry, String outcome) {
    return Counter.builder("tinyfaas.async")
        .description("Asynchronous invocations: those that ran, and those that never could")
        .tag("outcome", outcome)
        .register(registry);
  }

  /**
   * @return why it is not accepted: {@link Overloaded} if too many or too large ones are there
   *     already, or three quarters of them are its address'
   */
  Optional<InvocationResult> accept(Invocation invocation) {
    int size = invocation.body().length;
    if (bytes + size > maxBytes || !places.take(invocation.peer())) {
      return Optional.of(new Overloaded());
    }
    if (!memory.take(held(invocation), peers.of(invocation.peer()))) {
      places.give(invocation.peer());
      return Optional.of(new Overloaded());
    }
    accepted.incrementAndGet();
    bytes += size;
    return switch (run(invocation, FIRST_DELAY_MILLIS, System.nanoTime()).result()) {
      case UnknownFunction unknown -> Optional.of(unknown);
      case Unauthorized unauthorized -> Optional.of(unauthorized);
      case BadRequest bad -> Optional.of(bad);
      case null, default -> Optional.empty();
    };
  }

  /** In bytes, while it waits. */
  private static long held(Invocation invocation) {
    return invocation.body().length + BodyMemory.ofHeaders(invocation.headers());
  }

  /** Those that will be tried again. */
  int waiting() {
    return waiting.get();
  }

  private Future<InvocationResult> run(Invocation invocation, long delay, long since) {
    Future<InvocationResult> result = invoker.invoke(invocation);
    boolean atOnce = result.isComplete();
    return result.onSuccess(
        outcome -> {
          switch (outcome) {
            case NoRouteTable _, NoHandler _, PeerOverloaded _ -> again(invocation, delay, since);
            // Later than at once, it is the answer there was no memory for.
            case Overloaded _ when atOnce -> again(invocation, delay, since);
            case UnknownFunction _, Unauthorized _, BadRequest _ -> finish(invocation, dropped);
            case Answered _, Overloaded _, TimedOut _, Stopping _, BadAnswer _ ->
                finish(invocation, ran);
          }
        });
  }

  private void again(Invocation invocation, long delay, long since) {
    if (System.nanoTime() - since > GIVE_UP_MILLIS * 1_000_000) {
      finish(invocation, dropped);
      return;
    }
    waiting.incrementAndGet();
    vertx.setTimer(
        delay,
        now -> {
          waiting.decrementAndGet();
          run(invocation, Math.min(2 * delay, MAX_DELAY_MILLIS), since);
        });
  }

  private void finish(Invocation invocation, Counter how) {
    accepted.decrementAndGet();
    bytes -= invocation.body().length;
    places.give(invocation.peer());
    memory.give(held(invocation), peers.of(invocation.peer()));
    how.increment();
  }
}
