package io.tinyfaas.gateway.invoke;

import io.vertx.core.MultiMap;

/** What becomes of an invocation. Each ingress has one class that says it in its protocol. */
public sealed interface InvocationResult {

  /**
   * The function answered, be it with an error of its own: status, headers and body as in HTTP.
   *
   * @param headers without those about the connection and the length; not to be changed
   */
  record Answered(int status, MultiMap headers, byte[] body) implements InvocationResult {}

  /** No route table has come yet: nobody knows which functions there are. */
  record NoRouteTable() implements InvocationResult {}

  /** No such function in the current table. */
  record UnknownFunction() implements InvocationResult {}

  /** The function is for devices only, and the sender has not proved to be one. */
  record Unauthorized() implements InvocationResult {}

  /** The function has no handler, or none that accepts a connection. */
  record NoHandler() implements InvocationResult {}

  /** Too many invocations are running. */
  record Overloaded() implements InvocationResult {}

  /** Too many invocations of the caller's address are running. */
  record PeerOverloaded() implements InvocationResult {}

  /** The function's time is up, or that of the caller. */
  record TimedOut() implements InvocationResult {}

  /** It had not ended when the gateway had to. */
  record Stopping() implements InvocationResult {}

  /**
   * What the caller sent cannot be passed on to a handler.
   *
   * @param why in words for the caller's author
   */
  record BadRequest(String why) implements InvocationResult {}

  /**
   * What the handler sent is no answer.
   *
   * @param why in words for the function's author
   */
  record BadAnswer(String why) implements InvocationResult {}

  /** Its name in metrics. */
  default String outcome() {
    if (this instanceof Answered answered && answered.status() < 400) {
      return "ok"; // what nearly all are, before the look at each kind
    }
    return switch (this) {
      case Answered(int status, _, _) when status >= 500 -> "function_error";
      case Answered(int status, _, _) when status >= 400 -> "client_error";
      case Answered _ -> "ok";
      case NoRouteTable _ -> "no_route_table";
      case UnknownFunction _ -> "unknown_function";
      case Unauthorized _ -> "unauthorized";
      case NoHandler _ -> "no_handler";
      case Overloaded _ -> "overloaded";
      case PeerOverloaded _ -> "peer_overloaded";
      case TimedOut _ -> "timeout";
      case Stopping _ -> "stopping";
      case BadRequest _ -> "bad_request";
      case BadAnswer _ -> "bad_response";
    };
  }
}
