package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.gateway.call.Call.Origin;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jboss.logging.Logger;

/** Calls of the functions that hear what has become of a call. */
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
  List<FollowUp> ofDone(Call call, Answered answer) {
    return callback(call)
        .flatMap(to -> follow(call, to, answer.headers(), answer.body()))
        .map(List::of)
        .orElse(List.of());
  }

  /** Its callback gets the reason, and who is for failed calls gets the request besides. */
  List<FollowUp> ofFailed(Call call, Optional<Invocation> request, CallPolicy policy) {
    List<FollowUp> all = new ArrayList<>(2);
    MultiMap none = MultiMap.caseInsensitiveMultiMap();
    callback(call).flatMap(to -> follow(call, to, none, NO_BODY)).ifPresent(all::add);
    policy
        .onFailure()
        .map(FunctionName::value)
        .flatMap(
            to ->
                follow(
                    call,
                    to,
                    request.map(Invocation::headers).orElse(none),
                    request.map(Invocation::body).orElse(NO_BODY)))
        .ifPresent(all::add);
    return all;
  }

  private static Optional<String> callback(Call call) {
    return Optional.of(call.origin().callback()).filter(to -> !to.isEmpty());
  }

  private Optional<FollowUp> follow(Call call, String to, MultiMap fields, byte[] body) {
    Origin before = call.origin();
    if (before.depth() >= MAX_DEPTH) {
      LOG.warnf(
          "event=call-not-followed function=%s call=%s to=%s reason=\"%d calls led to it\"",
          call.function(), call.id(), to, MAX_DEPTH);
      return Optional.empty();
    }
    byte[] request =
        CallRecords.ofRequest(
            new Invocation(
                to,
                before.protocol(),
                InetAddress.getLoopbackAddress(),
                before.device(),
                headers(call, fields),
                body));
    Origin origin =
        new Origin(
            store.newId(),
            store.nextNumber(),
            to,
            before.protocol(),
            before.device(),
            "",
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
