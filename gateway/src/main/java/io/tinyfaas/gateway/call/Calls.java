package io.tinyfaas.gateway.call;

import io.micrometer.core.instrument.MeterRegistry;
import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.control.CallsReply;
import io.tinyfaas.contract.control.CallsRequest;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.gateway.call.Acceptance.NotStored;
import io.tinyfaas.gateway.call.Attempts.Invocations;
import io.tinyfaas.gateway.callback.Callbacks;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.BadRequest;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.journal.Batch;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.impl.ContextInternal;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
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

  /** What the states of calls and their results may take on disk besides requests: as much. */
  private static final int BESIDE_REQUESTS = 2;

  private final ContextInternal context;
  private final CallSettings settings;
  private final CurrentRoutes routes;
  private final Invocations invocations;
  private final Function<Invocation, Optional<BadRequest>> check;
  private final Callbacks callbacks;
  private final BodyMemory memory;
  private final PeerHolders peers;
  private final CallClock clock;
  private final CallIndex index;
  private final CallMetrics metrics;

  /** What others had on disk when it was read. */
  private Map<Long, byte[]> besides = Map.of();

  private long latest;

  // Where no calls are kept, there is none of these.
  private volatile CallStore store;
  private volatile CallRunner runner;
  private volatile CallAdmission admission;
  private volatile CallQuestions questions;
  private volatile CallUpkeep upkeep;

  @Inject
  Calls(
      InvocationLoop loop,
      CallSettings settings,
      HeapSettings heap,
      CurrentRoutes routes,
      Invoker invoker,
      Callbacks callbacks,
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
        callbacks,
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
      Callbacks callbacks,
      BodyMemory memory,
      PeerHolders peers,
      MeterRegistry registry,
      CallClock clock) {
    this.context = loop.context();
    this.settings = settings;
    this.routes = routes;
    this.invocations = invocations;
    this.check = check;
    this.callbacks = callbacks;
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
          new CallRunner(
              store,
              index,
              clock,
              metrics,
              routes,
              new Attempts(routes, invocations, callbacks, clock),
              memory,
              this::later);
      admission =
          new CallAdmission(
              store, index, runner, clock, metrics, routes, check, callbacks, memory, peers);
      questions = new CallQuestions(index, runner);
      upkeep = new CallUpkeep(settings, store, index, runner, admission, clock, metrics);
      CompletableFuture.runAsync(() -> resume(opened.calls()), this::onLoop).join();
      routes.addListener(this);
      callbacks.onReady(runner::retry);
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
    upkeep.look();
    context.setPeriodic(LOOK_MILLIS, tick -> upkeep.look());
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

  /**
   * Those of which the client has still to hear that they are on disk, and those that tell of
   * others at this moment. On any thread.
   */
  public int underWay() {
    return admission == null ? 0 : admission.accepting() + callbacks.underWay();
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
    return admission == null
        ? Future.succeededFuture(new NotStored())
        : admission.accept(invocation, options, beside);
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
        : runner.forget(call.get()).map(Removal.DONE).otherwise(Removal.NOT_STORED);
  }

  /** What an operator asks; answered, without fail, once what it changes is on disk. */
  public Future<CallsReply> answer(CallsRequest request) {
    return questions == null
        ? Future.succeededFuture(
            CallsReply.problem(
                request.id(), "the gateway keeps no calls: its log says why, in event=calls-off"))
        : questions.answer(request);
  }
}
