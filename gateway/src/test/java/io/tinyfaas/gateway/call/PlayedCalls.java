package io.tinyfaas.gateway.call;

import static io.tinyfaas.harness.Eventually.patient;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.quarkus.runtime.configuration.MemorySize;
import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallsReply;
import io.tinyfaas.contract.control.CallsRequest;
import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.control.RouteTable;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.gateway.Settings;
import io.tinyfaas.gateway.call.Acceptance.Accepted;
import io.tinyfaas.gateway.callback.Callbacks;
import io.tinyfaas.gateway.callback.PlayedCallbacks;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.TimedOut;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.loop.EventLoops;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.DefaultHeap;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.Stream;

/** One life of calls on a folder, with functions that are the test's. */
final class PlayedCalls implements AutoCloseable {

  static final long MEMORY = 16 << 20;

  private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(2));
  private final InvocationLoop loop = new InvocationLoop(new EventLoops(vertx));
  private final CurrentRoutes routes = new CurrentRoutes(DefaultHeap.tables());
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final BodyMemory memory = new BodyMemory(MEMORY);

  /** Of the wall clock, in milliseconds. */
  private final AtomicLong set = new AtomicLong();

  private final Functions functions;
  private final Calls calls;
  private long revision;

  /** On the loop. */
  interface Functions {
    Future<InvocationResult> call(Invocation invocation);
  }

  private record Run(Promise<InvocationResult> promise) implements Invoker.Running {
    @Override
    public Future<InvocationResult> result() {
      return promise.future();
    }

    @Override
    public void callOff() {
      promise.tryComplete(new TimedOut());
    }
  }

  PlayedCalls(Path folder, Functions functions) {
    this(folder, functions, 0);
  }

  /**
   * @param set the clock, by so many milliseconds
   */
  PlayedCalls(Path folder, Functions functions, long set) {
    this(folder, functions, set, loop -> PlayedCallbacks.none(loop));
  }

  /**
   * @param callbacks made on the loop's Vert.x
   */
  PlayedCalls(
      Path folder, Functions functions, long set, Function<InvocationLoop, Callbacks> callbacks) {
    this.functions = functions;
    this.set.set(set);
    calls =
        new Calls(
            loop,
            new PlayedSettings(folder),
            Settings.with(HeapSettings.class, "tinyfaas.calls.max", "1000"),
            routes,
            this::invoke,
            invocation -> Optional.empty(),
            callbacks.apply(loop),
            memory,
            new PeerHolders(),
            meters,
            new CallClock(() -> System.currentTimeMillis() + this.set.get(), System::nanoTime));
    calls.start();
  }

  private record PlayedSettings(Path path) implements CallSettings {
    @Override
    public Optional<Path> folder() {
      return Optional.of(path);
    }

    @Override
    public MemorySize maxBytes() {
      return new MemorySize(BigInteger.valueOf(4 << 20));
    }

    @Override
    public Duration keepResults() {
      return Duration.ofHours(1);
    }

    @Override
    public Duration keepFailed() {
      return Duration.ofDays(30);
    }
  }

  private Invoker.Running invoke(Invocation invocation) {
    Promise<InvocationResult> promise = Promise.promise();
    functions.call(invocation).onSuccess(promise::tryComplete);
    return new Run(promise);
  }

  static Answered answer(int status, String body) {
    return new Answered(
        status, MultiMap.caseInsensitiveMultiMap(), body.getBytes(StandardCharsets.UTF_8));
  }

  static String callOf(Invocation invocation) {
    return invocation.headers().get(HandlerHttp.CALL_HEADER);
  }

  static Route route(String function, CallPolicy policy) {
    return new Route(
        new FunctionName(function), 1, 10_000, Exposure.DEFAULT, policy, List.of(), List.of());
  }

  void serve(Route... table) {
    routes.apply(new RouteTable(new Revision(1, ++revision), List.of(table)));
  }

  void serve(String... functions) {
    serve(Stream.of(functions).map(f -> route(f, CallPolicy.DEFAULT)).toArray(Route[]::new));
  }

  /** How often something has become of a call. */
  int events(String event) {
    return (int) meters.get("tinyfaas.calls.events").tag("event", event).counter().count();
  }

  Calls calls() {
    return calls;
  }

  /** Bytes of it that somebody has. */
  long held() {
    return onLoop(
        () -> {
          long free = 0;
          for (long step = MEMORY; step > 0; step /= 2) {
            if (memory.take(step)) {
              free += step;
            }
          }
          memory.give(free);
          return MEMORY - free;
        });
  }

  void setClock(long by) {
    set.addAndGet(by);
  }

  <T> T onLoop(Callable<T> task) {
    CompletableFuture<T> done = new CompletableFuture<>();
    loop.context()
        .runOnContext(
            now -> {
              try {
                done.complete(task.call());
              } catch (Exception | Error e) {
                done.completeExceptionally(e);
              }
            });
    return join(done);
  }

  private static <T> T join(CompletableFuture<T> done) {
    return done.orTimeout(patient(Duration.ofSeconds(20)).toMillis(), TimeUnit.MILLISECONDS).join();
  }

  Acceptance accept(String function, String body) {
    return accept(function, body, MultiMap.caseInsensitiveMultiMap());
  }

  Acceptance accept(String function, String body, MultiMap options) {
    return join(startAccept(function, body, options));
  }

  CompletableFuture<Acceptance> startAccept(String function, String body, MultiMap options) {
    Invocation invocation =
        new Invocation(
            function,
            Protocol.HTTP,
            InetAddress.getLoopbackAddress(),
            "",
            MultiMap.caseInsensitiveMultiMap(),
            body.getBytes(StandardCharsets.UTF_8));
    return onLoop(() -> calls.accept(invocation, CallOptions.of(options)))
        .toCompletionStage()
        .toCompletableFuture();
  }

  CallId accepted(String function, String body) {
    return ((Accepted) accept(function, body)).id();
  }

  Optional<CallDescription> find(CallId id) {
    return onLoop(() -> calls.find(id));
  }

  Optional<Answered> result(CallId id) {
    return join(onLoop(() -> calls.result(id)).toCompletionStage().toCompletableFuture());
  }

  CallsReply answer(CallsRequest request) {
    return join(onLoop(() -> calls.answer(request)).toCompletionStage().toCompletableFuture());
  }

  Removal remove(CallId id) {
    return join(onLoop(() -> calls.remove(id)).toCompletionStage().toCompletableFuture());
  }

  void stop() {
    calls.stop();
  }

  @Override
  public void close() {
    calls.close();
    join(vertx.close().toCompletionStage().toCompletableFuture());
  }
}
