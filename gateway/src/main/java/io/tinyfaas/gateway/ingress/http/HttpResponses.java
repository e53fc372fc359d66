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
          problem(path, HttpProblem.badAnswer("the function answered with status " + status));
      case Answered(int status, MultiMap headers, byte[] body) ->
          new Response(status, passedOn(headers), Buffer.buffer(body));
      case NoRouteTable _ -> problem(path, HttpProblem.noRouteTable());
      case UnknownFunction _ -> problem(path, HttpProblem.unknownFunction());
      case Unauthorized _ -> problem(path, HttpProblem.devicesOnly());
      case NoHandler _ -> problem(path, HttpProblem.noHandler());
      case Overloaded _ -> problem(path, HttpProblem.overloaded());
      case PeerOverloaded _ -> problem(path, HttpProblem.peerOverloaded());
      case TimedOut _ -> problem(path, HttpProblem.timedOut());
      case Stopping _ -> problem(path, HttpProblem.stopping());
      case BadRequest(String why) -> problem(path, HttpProblem.badRequest(why));
      case BadAnswer(String why) -> problem(path, HttpProblem.badAnswer(why));
    };
  }

  static Response problem(String path, HttpProblem problem) {
    MultiMap headers =
        HttpHeaders.headers().set(HttpHeaders.CONTENT_TYPE, (CharSequence) HttpProblem.MEDIA_TYPE);
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
