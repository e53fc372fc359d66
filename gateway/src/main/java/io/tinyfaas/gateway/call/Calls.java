package io.tinyfaas.gateway.call;

import io.micrometer.core.instrument.MeterRegistry;
import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.control.CallsPlace;
import io.tinyfaas.contract.control.CallsReply;
import io.tinyfaas.contract.control.CallsRequest;
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
import io.tinyfaas.gateway.call.CallRunner.Invocations;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.BadRequest;
import io.tinyfaas.gateway.invoke.InvocationResult.Unauthorized;
import io.tinyfaas.gateway.invoke.InvocationResult.UnknownFunction;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.journal.Batch;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.gateway.memory.Holder;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import io.tinyfaas.gateway.route.RoutedFunction;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.impl.ContextInternal;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jboss.logging.Logger;

/**
 * Calls: invocations that nobody waits for and that are not lost. One that has been accepted is on
 * disk, and runs at least once, whatever happens to the gateway meanwhile, or is kept among those
 * that failed. All of it on the {@link InvocationLoop}, but for what is said otherwise.
 */
@Singleton
public final class Calls implements RouteListener {

  /** The first segment of the paths of calls; no function is called so. */
  public static final String PATH = FunctionName.CALLS.value();

  private static final Logger LOG = Logger.getLogger(Calls.class);

  private static final long LOOK_MILLIS = 1_000;

  /** So that none of the looks holds up the loop. */
  private static final int FORGOTTEN_AT_ONCE = 512;

  /** What the states of calls and their results may take on disk besides requests: as much. */
  private static final int BESIDE_REQUESTS = 2;

  /** Of a call on disk, besides its request. */
  private static final int STATE_BYTES = 512;

  /** A request in memory until it is on disk, and as it is written. */
  private static final int COPIES = 2;

  private final ContextInternal context;
  private final CallSettings settings;
  private final CurrentRoutes routes;
  private final Invocations invocations;
  private final Function<Invocation, Optional<BadRequest>> check;
  private final BodyMemory memory;
  private final PeerHolders peers;
  private final CallClock clock;
  private final CallIndex index;
  private final CallMetrics metrics;

  /** Of calls that are being written. */
  private final Map<CallId, Future<Acceptance>> pending = new HashMap<>();

  private final AtomicInteger accepting = new AtomicInteger();

  /** What others had on disk when it was read. */
  private Map<Long, byte[]> besides = Map.of();

  private long latest;

  private volatile CallStore store;
  private volatile CallRunner runner;

  @Inject
  Calls(
      InvocationLoop loop,
      CallSettings settings,
      HeapSettings heap,
      CurrentRoutes routes,
      Invoker invoker,
      BodyMemory memory,
      PeerHolders peers,
      MeterRegistry registry) {
    this(
        loop,
        settings,
        heap,
        routes,
        invoker::start,
        invoker::refusal,
        memory,
        peers,
        registry,
        new CallClock());
  }

  /**
   * @param check as {@link Invoker#refusal}
   */
  Calls(
      InvocationLoop loop,
      CallSettings settings,
      HeapSettings heap,
      CurrentRoutes routes,
      Invocations invocations,
      Function<Invocation, Optional<BadRequest>> check,
      BodyMemory memory,
      PeerHolders peers,
      MeterRegistry registry,
      CallClock clock) {
    this.context = loop.context();
    this.settings = settings;
    this.routes = routes;
    this.invocations = invocations;
    this.check = check;
    this.memory = memory;
    this.peers = peers;
    this.index = new CallIndex(heap.calls().max(), settings.maxBytes().asLongValue());
    this.metrics = new CallMetrics(registry);
    this.clock = clock;
  }

  /**
   * Reads what is on disk, and goes on with it. Where that cannot be, the gateway serves what needs
   * no disk, and accepts no calls. On the thread that starts the gateway, before anything is asked.
   */
  public void start() {
    if (settings.folder().isEmpty()) {
      LOG.info("event=calls-off reason=\"TINYFAAS_CALLS_FOLDER is not set\"");
      return;
    }
    Path folder = settings.folder().get();
    try {
      CallStore.Opened opened =
          CallStore.open(folder, BESIDE_REQUESTS * settings.maxBytes().asLongValue(), this::onLoop);
      store = opened.store();
      besides = opened.beside();
      latest = opened.calls().stream().mapToLong(Call::lastKnownAt).max().orElse(0);
      runner =
          new CallRunner(store, index, clock, metrics, routes, invocations, memory, this::later);
      CompletableFuture.runAsync(() -> resume(opened.calls()), this::onLoop).join();
      routes.addListener(this);
    } catch (IOException e) {
      LOG.errorf(
          "event=calls-off folder=%s reason=\"%s\" action=\"make it writable, and start the gateway"
              + " again\"",
          folder, e.getMessage());
    }
  }

  private void onLoop(Runnable task) {
    context.runOnContext(run -> task.run());
  }

  private void resume(List<Call> calls) {
    long behind = clock.behind(latest);
    if (behind > 0) {
      LOG.infof("event=clock-behind seconds=%d calls=%d", behind / 1_000, calls.size());
      calls.forEach(call -> call.shift(-behind));
      calls.forEach(store::save);
    }
    for (Call call : calls) {
      index.add(call);
      if (!call.isFinished()) {
        runner.add(call);
      }
    }
    look();
    context.setPeriodic(LOOK_MILLIS, tick -> look());
    LOG.infof("event=calls-started folder=%s calls=%d", settings.folder().get(), calls.size());
  }

  private Runnable later(long millis, Runnable task) {
    if (millis <= 0) {
      onLoop(task);
      return () -> {};
    }
    long timer = context.setTimer(millis, time -> task.run());
    return () -> context.owner().cancelTimer(timer);
  }

  /**
   * What others had under keys below 0 when the disk was read, and is theirs from now on; after
   * {@link #start}, once.
   */
  public Map<Long, byte[]> takeBeside() {
    Map<Long, byte[]> taken = besides;
    besides = Map.of();
    return taken;
  }

  /**
   * Writes what others have there, under keys below 0. On the loop.
   *
   * @return completes once it is on disk, fails if the disk does not take it
   */
  public Future<Void> writeBeside(Batch batch) {
    return store == null ? Future.failedFuture("no calls are kept") : store.write(batch);
  }

  /** The latest time that the disk told of, in milliseconds since 1970, or 0. */
  public long latest() {
    return latest;
  }

  /**
   * Begins none any more when it returns; accepts, and those that run go on. On any thread but the
   * loop.
   */
  public void stop() {
    if (runner != null) {
      CompletableFuture.runAsync(runner::stop, this::onLoop).join();
    }
  }

  /** Those of which the client has still to hear that they are on disk. On any thread. */
  public int accepting() {
    return accepting.get();
  }

  /** When all else has ended; what was accepted is on disk then. On any thread. */
  public void close() {
    if (store != null) {
      store.close();
    }
  }

  @Override
  public void onTableApplied() {
    context.runOnContext(run -> runner.retry());
  }

  /**
   * Whether each POST to the function is accepted as a call, whatever its client asked for: so its
   * specification says.
   */
  public boolean isDurable(String function) {
    return routes.find(function).map(found -> found.route().calls().durable()).orElse(false);
  }

  /** Never fails: every outcome is an acceptance. */
  public Future<Acceptance> accept(Invocation invocation, CallOptions options) {
    return accept(invocation, options, Beside.NOTHING);
  }

  /**
   * As {@link #accept(Invocation, CallOptions)}.
   *
   * @param beside is on disk exactly if the call is
   */
  public Future<Acceptance> accept(Invocation invocation, CallOptions options, Beside beside) {
    if (store == null) {
      return Future.succeededFuture(new NotStored());
    }
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
    byte[] request = CallRecords.ofRequest(invocation);
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
            .map(written -> accepted(call, invocation, () -> memory.give(held, peer)))
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
    return options
        .callback()
        .map(FunctionName::value)
        .filter(to -> routes.areKnown() && routes.find(to).isEmpty())
        .map(NoCallback::new);
  }

  /** What is done gives way to what can be accepted then, and to nothing else. */
  private boolean hasRoom(String function, int bytes) {
    if (!index.hasRoom(function, bytes)) {
      return false;
    }
    if (index.isFull()) {
      index.oldestDone().ifPresent(this::forget);
    }
    if (!store.hasRoom(bytes + STATE_BYTES)) {
      index.oldestDone().ifPresent(this::forget);
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
            options.callback().map(FunctionName::value).orElse(""),
            invocation.lineage().depth(),
            key,
            bytes);
    long now = clock.now();
    long due =
        options.notBefore().map(Instant::toEpochMilli).orElse(now + options.delay().toMillis());
    return new Call(origin, now, Math.max(now, due), options.notBefore().isPresent());
  }

  private Acceptance accepted(Call call, Invocation invocation, Runnable written) {
    pending.remove(call.id());
    metrics.accepted();
    if (call.isForgotten()) {
      written.run();
      return new Accepted(call.id());
    }
    if (runner.isReady(call)) {
      call.keep(new Kept(invocation, written));
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

  /** Empty if there is none, or it has been for too long. */
  public Optional<CallDescription> find(CallId id) {
    return index.find(id).map(Call::describe);
  }

  /** A call as JSON, with what its function answered; empty as {@link #find} is. */
  public Future<Optional<Buffer>> document(CallId id) {
    Optional<CallDescription> call = find(id);
    return result(id)
        .map(
            result ->
                call.map(
                    its ->
                        result
                            .map(answer -> CallDocument.of(its, answer))
                            .orElseGet(() -> CallDocument.of(its))));
  }

  /** What the function of a call answered that is done; empty if that has not been kept. */
  public Future<Optional<Answered>> result(CallId id) {
    Optional<Call> done = index.find(id).filter(call -> call.state() == CallState.DONE);
    return done.isEmpty()
        ? Future.succeededFuture(Optional.empty())
        : store.result(done.get()).map(Optional::of).otherwise(Optional.empty());
  }

  /**
   * Runs something once, when the call has ended or is forgotten.
   *
   * @return false if that has happened already
   */
  public boolean watch(CallId id, Runnable watcher) {
    Optional<Call> call = index.find(id).filter(its -> !its.isFinished());
    call.ifPresent(its -> its.watch(watcher));
    return call.isPresent();
  }

  /**
   * Forgets a call. If it waits, it does not run any more; if it runs, it is ended, though its
   * function may have done what it does.
   *
   * @return never fails, completes once it is on disk
   */
  public Future<Removal> remove(CallId id) {
    Optional<Call> call = index.find(id);
    return call.isEmpty()
        ? Future.succeededFuture(Removal.UNKNOWN)
        : forget(call.get()).map(Removal.DONE).otherwise(Removal.NOT_STORED);
  }

  /** What an operator asks; answered, without fail, once what it changes is on disk. */
  public Future<CallsReply> answer(CallsRequest request) {
    if (store == null) {
      return Future.succeededFuture(
          CallsReply.problem(
              request.id(), "the gateway keeps no calls: its log says why, in event=calls-off"));
    }
    List<Call> page =
        index.all().stream()
            .filter(call -> call.function().equals(request.function().value()))
            .filter(call -> request.states().contains(call.state()))
            .filter(call -> request.call().map(call.id()::equals).orElse(true))
            .filter(call -> call.origin().number() > after(request))
            .sorted(Comparator.comparingLong(call -> call.origin().number()))
            .limit(request.limit() + 1)
            .toList();
    Optional<CallsPlace> next = Optional.empty();
    if (page.size() > request.limit()) {
      page = page.subList(0, request.limit());
      next = Optional.of(new CallsPlace(Long.toString(page.getLast().origin().number())));
    }
    return switch (request.action()) {
      case LIST ->
          Future.succeededFuture(
              CallsReply.listed(request.id(), page.stream().map(Call::describe).toList(), next));
      case REDRIVE -> changed(request, page.stream().map(this::redrive).toList(), next);
      case REMOVE -> changed(request, page.stream().map(this::forget).toList(), next);
    };
  }

  private static Future<CallsReply> changed(
      CallsRequest request, List<Future<Void>> saved, Optional<CallsPlace> next) {
    return Future.join(saved)
        .map(all -> CallsReply.changed(request.id(), saved.size(), next))
        .otherwise(
            CallsReply.problem(
                request.id(), "the gateway's disk does not take it: its log says more"));
  }

  /**
   * The number of the last call of the page before; of what is no place of ours, all are behind.
   */
  private static long after(CallsRequest request) {
    String place = request.after().map(CallsPlace::value).orElse("0");
    return place.matches("\\d{1,18}") ? Long.parseLong(place) : Long.MAX_VALUE;
  }

  /** As if it had just been accepted. */
  private Future<Void> redrive(Call call) {
    call.restart(clock.now());
    Future<Void> saved = store.save(call);
    runner.add(call);
    return saved;
  }

  private Future<Void> forget(Call call) {
    if (call.state() == CallState.WAITING) {
      runner.remove(call);
    }
    index.remove(call);
    call.forget();
    return store.save(call);
  }

  private void look() {
    long by = clock.jump();
    if (by != 0) {
      LOG.infof("event=clock-set seconds=%d calls=%d", by / 1_000, index.all().size());
      index.all().forEach(call -> call.shift(by));
      index.all().stream().filter(call -> !pending.containsKey(call.id())).forEach(store::save);
      runner.reorder();
    }
    long now = clock.now();
    long results = settings.keepResults().toMillis();
    long failed = settings.keepFailed().toMillis();
    List<Call> old =
        index.all().stream()
            .filter(Call::isFinished)
            .filter(
                call ->
                    now - call.finishedAt() > (call.state() == CallState.DONE ? results : failed))
            .limit(FORGOTTEN_AT_ONCE)
            .toList();
    old.forEach(this::forget);
    for (int left = FORGOTTEN_AT_ONCE; index.hasTooMany() && left > 0; left--) {
      index.oldestDone().ifPresent(this::forget);
    }
    store.saveAgain();
    metrics.look(index.all(), now);
  }
}
