package io.tinyfaas.gateway.ingress.grpc;

import io.grpc.Status;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.gateway.call.Acceptance;
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
import java.nio.charset.StandardCharsets;

/** What became of an invocation, said in gRPC: the only place where outcomes become statuses. */
final class GrpcResponses {

  /** Descriptions are in a header field. */
  private static final int MAX_DESCRIPTION = 300;

  private GrpcResponses() {}

  sealed interface Reply {

    /** UTF-8. */
    record Text(byte[] text) implements Reply {}

    /** Without a text: the client does not wait for it. */
    record Accepted(CallId id) implements Reply {}

    record Failure(Status status) implements Reply {}
  }

  static Reply toReply(InvocationResult result) {
    return switch (result) {
      case Answered(int status, _, byte[] body) when status >= 200 && status < 300 -> text(body);
      case Answered(int status, _, byte[] body) ->
          failure(Status.UNKNOWN, "the function answered " + status + ": " + shown(body));
      case NoRouteTable _ ->
          failure(Status.UNAVAILABLE, "the gateway has no route table yet; come back later");
      case UnknownFunction _ -> failure(Status.NOT_FOUND, "no such function");
      case Unauthorized _ ->
          failure(Status.PERMISSION_DENIED, "the function is for registered devices: use coaps");
      case NoHandler _ -> failure(Status.UNAVAILABLE, "the function has no healthy handler");
      case Overloaded _ ->
          failure(Status.RESOURCE_EXHAUSTED, "too many invocations are running; come back later");
      case PeerOverloaded _ ->
          failure(Status.RESOURCE_EXHAUSTED, "too many calls of this address are running");
      case Stopping _ -> failure(Status.UNAVAILABLE, "the gateway is stopping");
      case TimedOut _ -> failure(Status.DEADLINE_EXCEEDED, "the function did not answer in time");
      case BadRequest(String why) -> failure(Status.INVALID_ARGUMENT, why);
      case BadAnswer(String why) -> failure(Status.INTERNAL, why);
    };
  }

  static Reply toReply(Acceptance acceptance) {
    return switch (acceptance) {
      case Acceptance.Accepted(CallId id) -> new Reply.Accepted(id);
      case Acceptance.Refused(InvocationResult why) -> toReply(why);
      case Acceptance.NoCallback(String why) ->
          failure(Status.INVALID_ARGUMENT, "the callback cannot be called: " + why);
      case Acceptance.TooMany _ ->
          failure(Status.RESOURCE_EXHAUSTED, "too many calls are waiting or have failed");
      case Acceptance.KeyReused _ ->
          failure(Status.INVALID_ARGUMENT, "the idempotency key is that of another request");
      case Acceptance.NotStored _ ->
          failure(Status.UNAVAILABLE, "the call could not be written to disk; come back later");
    };
  }

  private static Reply text(byte[] body) {
    return GrpcMessages.isText(body)
        ? new Reply.Text(body)
        : failure(
            Status.INTERNAL,
            "the function's answer is not UTF-8, and the service carries only text: use HTTP");
  }

  private static Reply failure(Status status, String description) {
    return new Reply.Failure(
        status.withDescription(
            description.length() > MAX_DESCRIPTION
                ? description.substring(0, MAX_DESCRIPTION)
                : description));
  }

  private static String shown(byte[] body) {
    int length = Math.min(body.length, MAX_DESCRIPTION);
    return new String(body, 0, length, StandardCharsets.UTF_8).strip();
  }
}
