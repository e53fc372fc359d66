package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.gateway.callback.Answer;
import io.tinyfaas.gateway.callback.Callbacks;
import io.tinyfaas.gateway.callback.Telling;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.invoke.Lineage;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import java.util.random.RandomGenerator;

/**
 * Attempts of calls: has functions invoked, or those told who hear what has become of another call.
 * On the invocation loop.
 */
final class Attempts {

  private final CurrentRoutes routes;
  private final Invocations invocations;
  private final Callbacks callbacks;
  private final CallClock clock;
  private final RandomGenerator random = RandomGenerator.getDefault();

  /** Has functions do something. */
  @FunctionalInterface
  interface Invocations {

    /** As {@link Invoker#start}. */
    Invoker.Running start(Invocation invocation);
  }

  Attempts(CurrentRoutes routes, Invocations invocations, Callbacks callbacks, CallClock clock) {
    this.routes = routes;
    this.invocations = invocations;
    this.callbacks = callbacks;
    this.clock = clock;
  }

  /**
   * One that is under way.
   *
   * @param verdict never fails
   * @param callOff ends it
   */
  record Attempt(Future<Verdict> verdict, Runnable callOff) {}

  /** What a function's specification says is of its own calls, not of who hears of them. */
  CallPolicy policy(Call call) {
    return call.tells()
        ? CallPolicy.DEFAULT
        : routes.find(call.function()).map(its -> its.route().calls()).orElse(CallPolicy.DEFAULT);
  }

  Attempt begin(Call call, CallRequest request, CallPolicy policy) {
    int number = call.attempts() + 1;
    MultiMap headers =
        MultiMap.caseInsensitiveMultiMap()
            .addAll(request.invocation().headers())
            .set(HandlerHttp.CALL_HEADER, call.id().value())
            .set(HandlerHttp.ATTEMPT_HEADER, Integer.toString(number));
    return request.tells()
        ? tell(call, request, new Answer(headers, request.invocation().body(), number), policy)
        : invoke(call, request.invocation(), headers, policy);
  }

  private Attempt tell(Call call, CallRequest request, Answer answer, CallPolicy policy) {
    Telling telling = callbacks.tell(request.callback().orElseThrow(), answer);
    return new Attempt(
        telling.outcome().map(how -> Verdict.of(how, call.attempts(), policy, clock.now(), random)),
        telling::callOff);
  }

  private Attempt invoke(Call call, Invocation request, MultiMap headers, CallPolicy policy) {
    Invoker.Running running =
        invocations.start(
            new Invocation(
                request.function(),
                request.protocol(),
                request.peer(),
                request.device(),
                headers,
                request.body(),
                new Lineage(
                    request.lineage().caller(), call.origin().depth(), Lineage.NO_DEADLINE)));
    boolean atOnce = running.result().isComplete();
    return new Attempt(
        running
            .result()
            .map(
                result -> Verdict.of(result, atOnce, call.attempts(), policy, clock.now(), random)),
        running::callOff);
  }
}
