package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.control.CallsPlace;
import io.tinyfaas.contract.control.CallsReply;
import io.tinyfaas.contract.control.CallsRequest;
import io.vertx.core.Future;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What operators ask of a function's calls, page by page. On the invocation loop. */
final class CallQuestions {

  private final CallIndex index;
  private final CallRunner runner;

  CallQuestions(CallIndex index, CallRunner runner) {
    this.index = index;
    this.runner = runner;
  }

  /** As {@link Calls#answer}. */
  Future<CallsReply> answer(CallsRequest request) {
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
      case REDRIVE -> changed(request, page.stream().map(runner::redrive).toList(), next);
      case REMOVE -> changed(request, page.stream().map(runner::forget).toList(), next);
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
}
