package io.tinyfaas.gateway.ingress.http;

import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.gateway.call.Acceptance;
import io.tinyfaas.gateway.call.Acceptance.Accepted;
import io.tinyfaas.gateway.call.Acceptance.KeyReused;
import io.tinyfaas.gateway.call.Acceptance.NoCallback;
import io.tinyfaas.gateway.call.Acceptance.NotStored;
import io.tinyfaas.gateway.call.Acceptance.Refused;
import io.tinyfaas.gateway.call.Acceptance.TooMany;
import io.tinyfaas.gateway.call.CallOptions;
import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.call.Removal;
import io.tinyfaas.gateway.ingress.http.HttpResponses.Response;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import jakarta.inject.Singleton;
import java.util.Optional;

/** Calls in HTTP: what became of the wish for one, and of one that was accepted. */
@Singleton
final class HttpCallRequests {

  private static final String RESULT = "/result";
  private static final String ALLOWED = "GET, HEAD, DELETE";

  private final Calls calls;

  HttpCallRequests(Calls calls) {
    this.calls = calls;
  }

  /**
   * @param path of the request
   */
  static Response toResponse(String path, Acceptance acceptance) {
    return switch (acceptance) {
      case Accepted(CallId id) ->
          new Response(
              202,
              HttpHeaders.headers()
                  .set(HttpHeaders.LOCATION, '/' + Calls.PATH + '/' + id)
                  .set("Preference-Applied", CallOptions.RESPOND_ASYNC),
              Buffer.buffer());
      case Refused refused -> HttpResponses.toResponse(path, refused.why());
      case NoCallback(String function) ->
          HttpResponses.problem(path, HttpProblem.noCallback(function));
      case TooMany _ -> HttpResponses.problem(path, HttpProblem.tooManyCalls());
      case KeyReused _ -> HttpResponses.problem(path, HttpProblem.keyReused());
      case NotStored _ -> HttpResponses.problem(path, HttpProblem.callNotStored());
    };
  }

  /** The answer to a request for {@code /calls/ID}, or {@code /calls/ID/result}. */
  Future<Response> answer(HttpMethod method, Target target) {
    String path = '/' + target.function() + target.rest();
    boolean ofResult = target.rest().endsWith(RESULT);
    int end = target.rest().length() - (ofResult ? RESULT.length() : 0);
    Optional<CallId> id =
        target.rest().isEmpty() ? Optional.empty() : id(target.rest().substring(1, end));
    Optional<CallDescription> call = id.flatMap(calls::find);
    if (call.isEmpty()) {
      return Future.succeededFuture(HttpResponses.problem(path, HttpProblem.unknownCall()));
    }
    boolean reads = method.equals(HttpMethod.GET) || method.equals(HttpMethod.HEAD);
    if (reads && ofResult) {
      return result(path, call.get());
    }
    if (reads) {
      return calls
          .document(call.get().id())
          .map(
              document ->
                  document
                      .map(HttpCallRequests::json)
                      .orElseGet(() -> HttpResponses.problem(path, HttpProblem.unknownCall())));
    }
    if (method.equals(HttpMethod.DELETE) && !ofResult) {
      return calls.remove(call.get().id()).map(removal -> toResponse(path, removal));
    }
    Response refusal = HttpResponses.problem(path, HttpProblem.methodNotAllowed(ALLOWED));
    refusal.headers().set(HttpHeaders.ALLOW, ALLOWED);
    return Future.succeededFuture(refusal);
  }

  private static Response toResponse(String path, Removal removal) {
    return switch (removal) {
      case DONE -> new Response(204, HttpHeaders.headers(), Buffer.buffer());
      case UNKNOWN -> HttpResponses.problem(path, HttpProblem.unknownCall());
      case NOT_STORED -> HttpResponses.problem(path, HttpProblem.callNotStored());
    };
  }

  private static Optional<CallId> id(String text) {
    return CallId.isValid(text) ? Optional.of(new CallId(text)) : Optional.empty();
  }

  private static Response json(Buffer document) {
    return new Response(
        200,
        HttpHeaders.headers()
            .set(HttpHeaders.CONTENT_TYPE, "application/json")
            .set(HttpHeaders.CACHE_CONTROL, "no-store"),
        document);
  }

  private Future<Response> result(String path, CallDescription call) {
    if (call.state() != CallState.DONE) {
      HttpProblem problem =
          HttpProblem.noResult(call.state().text(), call.state() == CallState.FAILED);
      return Future.succeededFuture(HttpResponses.problem(path, problem));
    }
    return calls
        .result(call.id())
        .map(
            kept ->
                kept.map(answer -> HttpResponses.toResponse(path, answer))
                    .orElseGet(() -> HttpResponses.problem(path, HttpProblem.resultNotKept())));
  }
}
