package io.tinyfaas.gateway.ingress.coap.observe;

import io.netty.handler.codec.http.HttpHeaderValues;
import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.call.Removal;
import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.result.LastResult;
import io.tinyfaas.gateway.result.Resource;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import jakarta.inject.Singleton;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.zip.CRC32C;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.Exchange;

/**
 * Calls as resources: {@code calls/ID}, which can be observed until the call has ended and is told
 * then for the last time, and {@code calls/ID/result}. On the event loop.
 */
@Singleton
public final class CallResource {

  private static final String RESULT = "result";
  private static final int OF_CALL = 2;
  private static final int OF_RESULT = 3;

  private final Calls calls;
  private final Observers observers;

  /** Those that somebody observes. */
  private final Set<CallId> watched = new HashSet<>();

  CallResource(Calls calls, Observers observers) {
    this.calls = calls;
    this.observers = observers;
    observers.alsoObserve(this::state);
  }

  private Optional<Representation> state(Resource resource) {
    return calls
        .find(new CallId(resource.path().substring(1)))
        .map(call -> representation(Buffer.buffer(ControlMessages.encode(call))));
  }

  /** The answer to a request of which the path begins as that of calls. */
  public Future<Response> answer(Exchange exchange) {
    Request request = exchange.getRequest();
    List<String> path = request.getOptions().getUriPath();
    Optional<CallDescription> call =
        path.size() < OF_CALL || !CallId.isValid(path.get(1))
            ? Optional.empty()
            : calls.find(new CallId(path.get(1)));
    boolean isResult = path.size() == OF_RESULT && path.get(2).equals(RESULT);
    if (call.isEmpty() || path.size() > OF_CALL && !isResult) {
      return Future.succeededFuture(gone());
    }
    if (isResult && request.getCode() == Code.GET) {
      return result(request, call.get());
    }
    if (request.getCode() == Code.GET) {
      return state(exchange, call.get());
    }
    if (request.getCode() == Code.DELETE && !isResult) {
      return calls.remove(call.get().id()).map(CallResource::toResponse);
    }
    return Future.succeededFuture(
        CoapResponses.diagnostic(ResponseCode.METHOD_NOT_ALLOWED, "a call has GET and DELETE"));
  }

  private static Response toResponse(Removal removal) {
    return switch (removal) {
      case DONE -> new Response(ResponseCode.DELETED);
      case UNKNOWN -> gone();
      case NOT_STORED -> CoapResponses.unavailable("the disk has not taken it yet");
    };
  }

  private static Response gone() {
    return CoapResponses.diagnostic(ResponseCode.NOT_FOUND, "no such call");
  }

  private Future<Response> result(Request request, CallDescription call) {
    return calls
        .result(call.id())
        .map(
            kept ->
                kept.map(answer -> CoapResponses.toResponse(request, answer))
                    .orElseGet(() -> noResult(call)));
  }

  private static Response noResult(CallDescription call) {
    String why =
        call.state() == CallState.DONE
            ? "it has not been kept"
            : "the call is " + call.state().text();
    return CoapResponses.diagnostic(ResponseCode.NOT_FOUND, "there is no result: " + why);
  }

  private Future<Response> state(Exchange exchange, CallDescription call) {
    OptionSet asked = exchange.getRequest().getOptions();
    return calls
        .document(call.id())
        .map(
            document -> {
              if (document.isEmpty()) {
                return gone();
              }
              Representation state = representation(document.get());
              if (!Observers.isRegistration(asked)) {
                observers.cancel(exchange);
                return state.answer(asked);
              }
              boolean watches = watched.contains(call.id()) || watch(call.id());
              return watches
                  ? observers.register(exchange, resource(call.id()), state)
                  : state.answer(asked);
            });
  }

  private boolean watch(CallId id) {
    return calls.watch(id, () -> ended(id)) && watched.add(id);
  }

  private void ended(CallId id) {
    watched.remove(id);
    calls
        .document(id)
        .onSuccess(
            document ->
                observers.end(
                    resource(id),
                    asked ->
                        document
                            .map(last -> representation(last).answer(asked))
                            .orElseGet(CallResource::gone)));
  }

  private static Resource resource(CallId id) {
    return new Resource(Calls.PATH, "/" + id);
  }

  private static Representation representation(Buffer document) {
    MultiMap headers =
        MultiMap.caseInsensitiveMultiMap()
            .set(HttpHeaders.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON)
            .set(HttpHeaders.CACHE_CONTROL, HttpHeaderValues.NO_STORE);
    byte[] json = document.getBytes();
    CRC32C tag = new CRC32C();
    tag.update(json);
    return new Representation(
        LastResult.of(new Answered(200, headers, json), (int) tag.getValue()).orElseThrow());
  }
}
