package io.tinyfaas.gateway.ingress.mqtt;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.gateway.call.Acceptance;
import io.tinyfaas.gateway.call.Acceptance.Accepted;
import io.tinyfaas.gateway.call.Acceptance.KeyReused;
import io.tinyfaas.gateway.call.Acceptance.NoCallback;
import io.tinyfaas.gateway.call.Acceptance.NotStored;
import io.tinyfaas.gateway.call.Acceptance.Refused;
import io.tinyfaas.gateway.call.Acceptance.TooMany;
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
import io.tinyfaas.gateway.mqtt.Message;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What became of a request, as a message to its Response Topic. */
final class Answers {

  /** Of an answer: HTTP's number. */
  static final String STATUS = "status";

  /** Of a failure of the gateway: a sentence, which is the body, too. */
  static final String REASON = "reason";

  /** Of a request that is run later: the ID of the call. */
  static final String CALL = "call";

  private static final int QOS = 1;
  private static final String TEXT = "text/plain; charset=utf-8";

  /** What of a function's answer says something where there is no HTTP. */
  private static final List<String> PASSED_ON =
      List.of(
          "etag",
          "location",
          "last-modified",
          "cache-control",
          "content-encoding",
          "content-language",
          "retry-after");

  /** Of one of them; a longer one is left out. */
  private static final int MAX_VALUE = 512;

  /** A failure of the gateway. */
  record Failure(int status, String sentence) {

    /** Empty if it is accepted. */
    static Optional<Failure> of(Acceptance acceptance) {
      return switch (acceptance) {
        case Accepted _ -> Optional.empty();
        case TooMany _ ->
            Optional.of(
                new Failure(
                    429,
                    "too many calls wait or have failed: publish it again later; GET"
                        + " /functions/NAME/calls at the manager shows them"));
        case NotStored _ ->
            Optional.of(
                new Failure(
                    503,
                    "the call could not be written to disk, which is full or does not work:"
                        + " publish it again later; the gateway's log says more"));
        case KeyReused _ ->
            Optional.of(new Failure(422, "the idempotency key is that of another message"));
        case NoCallback(String why) -> Optional.of(new Failure(400, "X-tinyFaaS-Callback: " + why));
        case Refused(InvocationResult why) -> Optional.of(of(why));
      };
    }

    /** Of what the function answered itself, that it did. */
    static Failure of(InvocationResult result) {
      return switch (result) {
        case Answered(int status, _, _) -> new Failure(status, "the function answered " + status);
        case NoRouteTable _ ->
            new Failure(503, "the gateway does not know its functions yet: ask again in a moment");
        case UnknownFunction _ -> new Failure(404, "no function of this name is deployed");
        case Unauthorized _ -> new Failure(403, "the function is for registered devices");
        case NoHandler _ ->
            new Failure(503, "the function has no healthy handler: its logs say why");
        case Overloaded _ -> new Failure(503, "too many invocations are running: ask again later");
        case PeerOverloaded _ ->
            new Failure(429, "too many invocations of this address are running: ask again later");
        case TimedOut _ -> new Failure(504, "the function did not answer in time");
        case Stopping _ -> new Failure(503, "the gateway is stopping: ask again later");
        case BadRequest(String why) -> new Failure(400, "the message cannot be passed on: " + why);
        case BadAnswer(String why) ->
            new Failure(502, "the function's answer is not valid: " + why);
      };
    }
  }

  private Answers() {}

  static Message of(Publication request, InvocationResult result) {
    if (result instanceof Answered(int status, MultiMap headers, byte[] body)) {
      List<Map.Entry<String, String>> properties = new ArrayList<>();
      properties.add(Map.entry(STATUS, Integer.toString(status)));
      for (String name : PASSED_ON) {
        String value = headers.get(name);
        if (value != null && value.length() <= MAX_VALUE) {
          properties.add(Map.entry(name, value));
        }
      }
      String type = headers.get(HttpHeaders.CONTENT_TYPE);
      return message(request, type == null ? "" : type, properties, body);
    }
    return of(request, Failure.of(result));
  }

  private static Message of(Publication request, Failure failure) {
    return message(
        request,
        TEXT,
        List.of(
            Map.entry(STATUS, Integer.toString(failure.status())),
            Map.entry(REASON, failure.sentence())),
        failure.sentence().getBytes(UTF_8));
  }

  static Message of(Publication request, Acceptance acceptance) {
    if (acceptance instanceof Accepted(CallId call)) {
      return message(
          request,
          "",
          List.of(Map.entry(STATUS, "202"), Map.entry(CALL, call.value())),
          new byte[0]);
    }
    return of(request, Failure.of(acceptance).orElseThrow());
  }

  private static Message message(
      Publication request,
      String contentType,
      List<Map.Entry<String, String>> properties,
      byte[] body) {
    return new Message(
        request.responseTopic(), QOS, false, contentType, request.correlation(), properties, body);
  }
}
