package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.gateway.call.CallQueue.End;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.invoke.Lineage;
import io.tinyfaas.gateway.journal.Batch;
import io.tinyfaas.gateway.loop.BugLog;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.Holder;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.vertx.core.MultiMap;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jboss.logging.Logger;

/**
 * Runs calls that are on disk: invokes their functions, and writes down what came of it. A call
 * gives up its place among those that run only when that is on disk, too. On the invocation loop.
 */
final class CallRunner {

  private static final Logger LOG = Logger.getLogger(CallRunner.class);

  private static final BugLog BUGS = new BugLog(LOG, "call-not-begun");

  private static final long DISK_RETRY_MILLIS = 1_000;

  /** A request as it is read, and what it is parsed to. */
  private static final int COPIES = 2;

  private final CallStore store;
  private final CallIndex index;
  private final CallClock clock;
  private final CallMetrics metrics;
  private final CurrentRoutes routes;
  private final Invocations invocations;
  private final BodyMemory memory;
  private final CallQueue.Later later;
  private final CallQueue queue;
  private final FollowUps followUps;
  private final RandomGenerator random = RandomGenerator.getDefault();

  /** Of what is read from disk, and of what has still to be written. */
  private final Holder holder = new Holder();

  /** Has functions do something. */
  @FunctionalInterface
  interface Invocations {

    /** As {@link Invoker#start}. */
    Invoker.Running start(Invocation invocation);
  }

  CallRunner(
      CallStore store,
      CallIndex index,
      CallClock clock,
      CallMetrics metrics,
      CurrentRoutes routes,
      Invocations invocations,
      BodyMemory memory,
      CallQueue.Later later) {
    this.store = store;
    this.index = index;
    this.clock = clock;
    this.metrics = metrics;
    this.routes = routes;
    this.invocations = invocations;
    this.memory = memory;
    this.later = later;
    this.queue = new CallQueue(later, clock::now, this::begin);
    this.followUps = new FollowUps(store, clock);
  }

  /** One that waits, and is on disk. */
  void add(Call call) {
    queue.add(call);
  }

  /** Whether it would be begun at once if it were added. */
  boolean isReady(Call call) {
    return call.dueAt() <= clock.now() && queue.isReady(call.function());
  }

  /** Of one that waits. */
  void remove(Call call) {
    queue.remove(call);
  }

  /** Other handlers may be there. */
  void retry() {
    queue.retry();
  }

  /** The clock was set, and times of calls with it. */
  void reorder() {
    queue.reorder();
  }

  /** Begins none any more. */
  void stop() {
    queue.stop();
  }

  private CallPolicy policy(Call call) {
    return routes.find(call.function()).map(its -> its.route().calls()).orElse(CallPolicy.DEFAULT);
  }

  private void begin(Call call) {
    call.begin();
    if (!routes.areKnown()) { // nor how old the call may be
      call.takeKept();
      notTaken(call, "the gateway does not know its functions yet");
      return;
    }
    Optional<Invocation> kept = call.takeKept();
    if (kept.isPresent()) {
      attempt(call, kept.get());
      return;
    }
    long held = COPIES * (long) call.origin().bytes();
    if (!memory.take(held, holder)) {
      notTaken(call, "there is no memory for its request");
      return;
    }
    store
        .request(call)
        .onComplete(
            read -> {
              memory.give(held, holder); // the invocation takes its own
              if (call.isForgotten()) {
                queue.ended(call, End.NOT_ASKED);
              } else if (queue.isStopped()) {
                interrupted(call);
              } else if (read.succeeded()) {
                attempt(call, read.result());
              } else {
                String why = read.cause().getMessage();
                failed(call, Optional.empty(), "its request cannot be read from disk: " + why);
              }
            });
  }

  private void attempt(Call call, Invocation request) {
    CallPolicy policy = policy(call);
    if (clock.now() - call.ripeAt() > policy.maxAgeMillis()) {
      String last = call.reason().isEmpty() ? "" : ": " + call.reason();
      failed(call, Optional.of(request), "it could not be done within its maxAge" + last);
      return;
    }
    Invoker.Running running;
    try {
      running = invocations.start(ofAttempt(call, request));
    } catch (RuntimeException bug) {
      BUGS.say(bug);
      failed(call, Optional.of(request), "the gateway has a bug: its log says more");
      return;
    }
    boolean atOnce = running.result().isComplete();
    call.runs(running);
    running.result().onSuccess(result -> attempted(call, request, result, atOnce, policy));
  }

  private static Invocation ofAttempt(Call call, Invocation request) {
    MultiMap headers =
        MultiMap.caseInsensitiveMultiMap()
            .addAll(request.headers())
            .set(HandlerHttp.CALL_HEADER, call.id().value())
            .set(HandlerHttp.ATTEMPT_HEADER, Integer.toString(call.attempts() + 1));
    return new Invocation(
        request.function(),
        request.protocol(),
        request.peer(),
        request.device(),
        headers,
        request.body(),
        new Lineage(request.lineage().caller(), call.origin().depth(), Lineage.NO_DEADLINE));
  }

  private void attempted(
      Call call, Invocation request, InvocationResult result, boolean atOnce, CallPolicy policy) {
    Verdict verdict = Verdict.of(result, atOnce, call.attempts(), policy, clock.now(), random);
    if (call.isForgotten()) {
      queue.ended(call, End.TAKEN);
      return;
    }
    switch (verdict) {
      case Verdict.Done(Answered answer) -> done(call, answer);
      case Verdict.Failed(int status, String why) -> {
        call.attempted(status, why);
        failed(call, Optional.of(request), why);
      }
      case Verdict.Again(int status, String why, long in) -> {
        call.attempted(status, why);
        again(call, request, clock.now() + in, policy);
      }
      case Verdict.NotTaken(String why) -> notTaken(call, why);
      case Verdict.Interrupted _ -> interrupted(call);
    }
  }

  /** Its next attempt is in the gateway's next life. */
  private void interrupted(Call call) {
    call.putBack();
    queue.ended(call, End.NOT_ASKED);
  }

  private void done(Call call, Answered answer) {
    long held = COPIES * (long) answer.body().length;
    if (!memory.takeMore(held, holder)) {
      later(call, "there was no memory to keep its result");
      return;
    }
    call.attempted(answer.status(), "");
    call.finish(CallState.DONE, clock.now());
    end(call, store.done(new Batch(), call, answer), followUps.ofDone(call, answer), held);
  }

  /** All of it is done again. */
  private void later(Call call, String why) {
    call.because(why);
    call.waitUntil(clock.now() + DISK_RETRY_MILLIS);
    queue.add(call);
    queue.ended(call, End.TAKEN);
  }

  private void notTaken(Call call, String why) {
    call.putBack();
    call.because(why);
    queue.add(call);
    queue.ended(call, End.NOT_TAKEN);
  }

  private void again(Call call, Invocation request, long due, CallPolicy policy) {
    if (due - call.ripeAt() > policy.maxAgeMillis()) {
      failed(call, Optional.of(request), call.reason());
      return;
    }
    call.waitUntil(due);
    metrics.retried();
    store.save(call);
    queue.add(call);
    queue.ended(call, End.TAKEN);
  }

  private void failed(Call call, Optional<Invocation> request, String why) {
    CallPolicy policy = policy(call);
    int body = request.map(its -> its.body().length).orElse(0);
    long held = policy.onFailure().isPresent() ? COPIES * (long) body : 0;
    if (!memory.takeMore(held, holder)) {
      later(call, why);
      return;
    }
    call.because(why);
    call.finish(CallState.FAILED, clock.now());
    Batch batch = CallStore.state(new Batch(), call);
    end(call, batch, followUps.ofFailed(call, request, policy), held);
  }

  /**
   * @param held in memory until it is written
   */
  private void end(Call call, Batch batch, List<FollowUps.FollowUp> next, long held) {
    next.forEach(each -> CallStore.add(batch, each.call(), each.request()));
    write(call, batch, next, held);
  }

  private void write(Call call, Batch batch, List<FollowUps.FollowUp> next, long held) {
    store
        .write(batch)
        .onComplete(written -> memory.give(held, holder))
        .onSuccess(written -> ended(call, next))
        .onFailure(full -> notWritten(call, batch, next));
  }

  private void ended(Call call, List<FollowUps.FollowUp> next) {
    call.settle();
    for (FollowUps.FollowUp each : next) {
      index.add(each.call());
      queue.add(each.call());
      metrics.accepted();
    }
    if (call.state() == CallState.DONE) {
      metrics.done();
    } else {
      metrics.failed();
      LOG.warnf(
          "event=call-failed function=%s call=%s attempts=%d reason=\"%s\"",
          call.function(), call.id(), call.attempts(), call.reason());
    }
    if (!call.isForgotten()) {
      index.finished(call);
      call.tell();
    }
    queue.ended(call, End.TAKEN);
  }

  /**
   * What follows would be lost if the gateway ended: the call keeps its place until it is on disk.
   * Where there is no memory for that, all of it is done again.
   */
  private void notWritten(Call call, Batch batch, List<FollowUps.FollowUp> next) {
    long held = next.stream().mapToLong(each -> each.request().length).sum();
    if (call.isForgotten()) {
      queue.ended(call, End.TAKEN);
    } else if (next.isEmpty()) {
      call.loseResult();
      store.save(call);
      ended(call, next);
    } else if (memory.take(held, holder)) {
      later.in(
          DISK_RETRY_MILLIS,
          () -> {
            memory.give(held, holder);
            writeAgain(call, batch, next);
          });
    } else {
      later(call, "there was no memory to wait for the disk");
    }
  }

  private void writeAgain(Call call, Batch batch, List<FollowUps.FollowUp> next) {
    if (call.isForgotten()) {
      queue.ended(call, End.TAKEN);
    } else {
      write(call, batch, next, 0);
    }
  }
}
