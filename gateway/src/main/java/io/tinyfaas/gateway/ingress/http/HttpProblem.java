package io.tinyfaas.gateway.ingress.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;

/**
 * An answer of the gateway's own, as RFC 9457 has it.
 *
 * @param type the last part of its URN
 * @param retryAfter seconds after which to come back, or 0
 */
public record HttpProblem(int status, String type, String title, String detail, int retryAfter) {

  static final String MEDIA_TYPE = "application/problem+json";

  private static final String URN = "urn:tinyfaas:problem:";

  /** Until a handler is back: a restarted one takes about a second. */
  private static final int NO_HANDLER_SECONDS = 2;

  /** With a broker that is there, it comes within half a second of the start. */
  private static final int NO_ROUTE_TABLE_SECONDS = 1;

  private static final int OVERLOADED_SECONDS = 1;
  private static final int NOT_STORED_SECONDS = 5;
  private static final int NO_STREAM_SECONDS = 10;

  public static HttpProblem badRequest(String detail) {
    return new HttpProblem(400, "bad-request", "The request is not valid HTTP", detail, 0);
  }

  static HttpProblem notImplemented(String detail) {
    return new HttpProblem(501, "not-implemented", "This is not implemented", detail, 0);
  }

  static HttpProblem noRouteTable() {
    return new HttpProblem(
        503,
        "no-route-table",
        "The gateway does not know its functions yet",
        "It has just started: come back in a moment. If it stays so, manager or broker is away:"
            + " docker compose ps",
        NO_ROUTE_TABLE_SECONDS);
  }

  static HttpProblem unknownFunction() {
    return new HttpProblem(
        404,
        "unknown-function",
        "No such function",
        "No function of this name is deployed; a function's path is /NAME and what is below.",
        0);
  }

  static HttpProblem devicesOnly() {
    return new HttpProblem(
        403,
        "devices-only",
        "The function is for registered devices",
        "Devices prove who they are by DTLS: invoke it by coaps.",
        0);
  }

  static HttpProblem noHandler() {
    return new HttpProblem(
        503,
        "no-handler",
        "The function has no healthy handler",
        "It is starting, or it crashes: its logs say why.",
        NO_HANDLER_SECONDS);
  }

  static HttpProblem overloaded() {
    return new HttpProblem(
        503,
        "overloaded",
        "Too many invocations are running",
        "Come back later, or give the function more handlers.",
        OVERLOADED_SECONDS);
  }

  static HttpProblem peerOverloaded() {
    return new HttpProblem(
        429,
        "too-many-of-address",
        "Too many invocations of this address are running",
        "Wait for answers before asking again. What comes by a proxy is of one address:"
            + " TINYFAAS_MAX_IN_FLIGHT_PER_PEER.",
        OVERLOADED_SECONDS);
  }

  static HttpProblem tooManyEventStreams() {
    return new HttpProblem(
        429,
        "too-many-event-streams",
        "This address has as many event streams as it may",
        "Close some, or come back later. What comes by a proxy is of one address:"
            + " TINYFAAS_HTTP_MAX_EVENT_STREAMS.",
        NO_STREAM_SECONDS);
  }

  static HttpProblem noEventStream() {
    return new HttpProblem(
        503,
        "no-event-stream",
        "There are as many event streams as there may be",
        "Come back later: TINYFAAS_HTTP_MAX_EVENT_STREAMS.",
        NO_STREAM_SECONDS);
  }

  static HttpProblem tooManyCalls() {
    return new HttpProblem(
        429,
        "too-many-calls",
        "Too many calls are waiting or have failed",
        "Come back later. GET /functions/NAME/calls at the manager shows them; failed ones can be"
            + " removed there.",
        OVERLOADED_SECONDS);
  }

  static HttpProblem callNotStored() {
    return new HttpProblem(
        503,
        "call-not-stored",
        "The call could not be written to disk",
        "The disk is full or does not work, or the gateway has no folder for calls: its log says"
            + " which.",
        NOT_STORED_SECONDS);
  }

  /**
   * @param why as the end of a sentence
   */
  static HttpProblem noCallback(String why) {
    return new HttpProblem(
        400,
        "no-callback",
        "Nobody would hear what becomes of the call",
        "X-tinyFaaS-Callback cannot be called back: " + why + ".",
        0);
  }

  static HttpProblem keyReused() {
    return new HttpProblem(
        422,
        "idempotency-key-reused",
        "The idempotency key is that of another request",
        "A request that is sent again has the same path, query and body; another one has another"
            + " key.",
        0);
  }

  static HttpProblem unknownCall() {
    return new HttpProblem(
        404,
        "unknown-call",
        "No such call",
        "A call is /calls/ID, as Location said when it was accepted. It is forgotten some time"
            + " after it was done.",
        0);
  }

  static HttpProblem noResult(String state, boolean failed) {
    return new HttpProblem(
        404,
        "no-result",
        "The call has no result" + (failed ? "" : " yet"),
        "It is " + state + ": GET /calls/ID says more.",
        failed ? 0 : OVERLOADED_SECONDS);
  }

  static HttpProblem resultNotKept() {
    return new HttpProblem(
        410,
        "result-not-kept",
        "The call's result has not been kept",
        "It was too large, or there was no room for it: have it sent to a function by"
            + " X-tinyFaaS-Callback.",
        0);
  }

  static HttpProblem methodNotAllowed(String allowed) {
    return new HttpProblem(
        405, "method-not-allowed", "A call has no such method", "It has " + allowed + ".", 0);
  }

  static HttpProblem stopping() {
    return new HttpProblem(
        503,
        "stopping",
        "The gateway is stopping",
        "Come back once it runs again.",
        OVERLOADED_SECONDS);
  }

  static HttpProblem timedOut() {
    return new HttpProblem(
        504,
        "timeout",
        "The function did not answer in time",
        "Its specification has the timeout; a function that called it may have had less time left."
            + " Its logs may say what took so long.",
        0);
  }

  static HttpProblem badAnswer(String why) {
    return new HttpProblem(502, "bad-answer", "The function's answer is not valid", why, 0);
  }

  static HttpProblem bodyTooLarge(int maxBody) {
    return new HttpProblem(
        413,
        "body-too-large",
        "The body is too large",
        "A body has at most " + maxBody + " bytes (TINYFAAS_MAX_BODY).",
        0);
  }

  static HttpProblem bodyTooSlow(long seconds) {
    return new HttpProblem(
        408,
        "body-too-slow",
        "The body did not arrive in time",
        "It has to arrive within " + seconds + " s.",
        0);
  }

  static HttpProblem internal() {
    return new HttpProblem(
        500, "internal", "The gateway failed", "Its log says why: docker compose logs gateway", 0);
  }

  Buffer toJson(String path) {
    return new JsonObject()
        .put("type", URN + type)
        .put("title", title)
        .put("status", status)
        .put("detail", detail)
        .put("instance", path)
        .toBuffer();
  }
}
