package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.gateway.call.Call.Origin;
import io.tinyfaas.gateway.callback.Callback;
import io.tinyfaas.gateway.callback.Callback.OfFunction;
import io.tinyfaas.gateway.callback.Callback.ToTopic;
import io.tinyfaas.gateway.callback.Callback.ToUrl;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jboss.logging.Logger;

/** Calls that tell functions, topics and servers what has become of a call. */
final class FollowUps {

  private static final Logger LOG = Logger.getLogger(FollowUps.class);

  /** Of calls that led to each other, so that no circle of them runs for ever. */
  private static final int MAX_DEPTH = HandlerHttp.MAX_DEPTH;

  private static final byte[] NO_BODY = new byte[0];

  private final CallStore store;
  private final CallClock clock;

  FollowUps(CallStore store, CallClock clock) {
    this.store = store;
    this.clock = clock;
  }

  /**
   * @param request as it is kept on disk
   */
  record FollowUp(Call call, byte[] request) {}

  /** Its callback gets the result. */
  List<FollowUp> ofDone(Call call, CallRequest request, Answered answer) {
    return callback(call, Optional.of(request))
        .flatMap(to -> follow(call, to, answer.headers(), answer.body()))
        .map(List::of)
        .orElse(List.of());
  }

  /** Its callback gets the reason, and who is for failed calls gets the request besides. */
  List<FollowUp> ofFailed(Call call, Optional<CallRequest> request, CallPolicy policy) {
    List<FollowUp> all = new ArrayList<>(2);
    MultiMap none = MultiMap.caseInsensitiveMultiMap();
    callback(call, request).flatMap(to -> follow(call, to, none, NO_BODY)).ifPresent(all::add);
    policy
        .onFailure()
        .flatMap(
            to ->
                follow(
                    call,
                    new OfFunction(to),
                    request.map(its -> its.invocation().headers()).orElse(none),
                    request.map(its -> its.invocation().body()).orElse(NO_BODY)))
        .ifPresent(all::add);
    return all;
  }

  /** A call that tells of another is not told of. */
  private static Optional<Callback> callback(Call call, Optional<CallRequest> request) {
    if (call.tells()) {
      return Optional.empty();
    }
    String function = call.origin().callback();
    return function.isEmpty()
        ? request.flatMap(CallRequest::callback)
        : Optional.of(new OfFunction(new FunctionName(function)));
  }

  private Optional<FollowUp> follow(Call call, Callback to, MultiMap fields, byte[] body) {
    Origin before = call.origin();
    if (before.depth() >= MAX_DEPTH) {
      LOG.warnf(
          "event=call-not-followed function=%s call=%s to=%s reason=\"%d calls led to it\"",
          call.function(), call.id(), to.destination(), MAX_DEPTH);
      return Optional.empty();
    }
    String function =
        switch (to) {
          case OfFunction of -> of.function().value();
          case ToTopic _, ToUrl _ -> before.function();
        };
    boolean tells = !(to instanceof OfFunction);
    Invocation invocation =
        new Invocation(
            function,
            before.protocol(),
            InetAddress.getLoopbackAddress(),
            before.device(),
            headers(call, fields),
            body);
    byte[] request =
        CallRecords.ofRequest(
            new CallRequest(invocation, tells ? Optional.of(to) : Optional.empty(), tells));
    Origin origin =
        new Origin(
            store.newId(),
            store.nextNumber(),
            function,
            before.protocol(),
            before.device(),
            "",
            tells ? to.destination() : "",
            before.depth() + 1,
            Optional.empty(),
            request.length);
    long now = clock.now();
    return Optional.of(new FollowUp(new Call(origin, now, now, false), request));
  }

  private static MultiMap headers(Call call, MultiMap fields) {
    MultiMap headers =
        MultiMap.caseInsensitiveMultiMap()
            .set(HandlerHttp.METHOD_HEADER, "POST")
            .set(HandlerHttp.PROTOCOL_HEADER, call.origin().protocol().label())
            .set(HandlerHttp.RESULT_OF_HEADER, call.id().value())
            .set(HandlerHttp.RESULT_FUNCTION_HEADER, call.function())
            .set(HandlerHttp.RESULT_STATE_HEADER, call.decided().text());
    if (call.status() != Call.NO_STATUS) {
      headers.set(HandlerHttp.RESULT_STATUS_HEADER, Integer.toString(call.status()));
    }
    if (!call.reason().isEmpty()) {
      headers.set(HandlerHttp.RESULT_REASON_HEADER, ascii(call.reason()));
    }
    String type = fields.get(HttpHeaders.CONTENT_TYPE);
    return type == null ? headers : headers.set(HttpHeaders.CONTENT_TYPE, type);
  }

  /** What a header can carry everywhere. */
  private static String ascii(String text) {
    return text.replaceAll("[^\\x20-\\x7e]", "?");
  }
}
