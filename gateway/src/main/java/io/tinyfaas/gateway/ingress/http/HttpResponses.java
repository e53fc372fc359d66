package io.tinyfaas.gateway.ingress.http;

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
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import java.util.Locale;
import java.util.Map;

/** What became of an invocation, said in HTTP: the only place where outcomes become statuses. */
final class HttpResponses {

  private HttpResponses() {}

  /**
   * @param headers those that are passed on, and no others yet
   */
  record Response(int status, MultiMap headers, Buffer body) {

    /** RFC 9110, 15: whether a body may follow, if the request was no HEAD. */
    boolean mayHaveBody() {
      return status != 204 && status != 205 && status != 304;
    }
  }

  /**
   * @param path of the request
   */
  static Response toResponse(String path, InvocationResult result) {
    return switch (result) {
      case Answered(int status, _, _) when status < 200 || status > 599 ->
          problem(path, Problem.badAnswer("the function answered with status " + status));
      case Answered(int status, MultiMap headers, byte[] body) ->
          new Response(status, passedOn(headers), Buffer.buffer(body));
      case NoRouteTable _ -> problem(path, Problem.noRouteTable());
      case UnknownFunction _ -> problem(path, Problem.unknownFunction());
      case Unauthorized _ -> problem(path, Problem.devicesOnly());
      case NoHandler _ -> problem(path, Problem.noHandler());
      case Overloaded _ -> problem(path, Problem.overloaded());
      case PeerOverloaded _ -> problem(path, Problem.peerOverloaded());
      case TimedOut _ -> problem(path, Problem.timedOut());
      case Stopping _ -> problem(path, Problem.stopping());
      case BadRequest(String why) -> problem(path, Problem.badRequest(why));
      case BadAnswer(String why) -> problem(path, Problem.badAnswer(why));
    };
  }

  static Response problem(String path, Problem problem) {
    MultiMap headers =
        HttpHeaders.headers().set(HttpHeaders.CONTENT_TYPE, (CharSequence) Problem.MEDIA_TYPE);
    if (problem.retryAfter() > 0) {
      headers.set(HttpHeaders.RETRY_AFTER, Integer.toString(problem.retryAfter()));
    }
    return new Response(problem.status(), headers, problem.toJson(path));
  }

  private static MultiMap passedOn(MultiMap from) {
    HopByHop hopByHop = new HopByHop(from);
    MultiMap to = HttpHeaders.headers();
    for (Map.Entry<String, String> field : from) {
      if (!hopByHop.contains(field.getKey().toLowerCase(Locale.ROOT))) {
        to.add(field.getKey(), field.getValue());
      }
    }
    return to;
  }
}
