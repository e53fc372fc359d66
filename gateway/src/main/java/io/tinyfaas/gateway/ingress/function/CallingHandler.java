package io.tinyfaas.gateway.ingress.function;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.gateway.call.CallOptions;
import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.ingress.http.HttpPeer;
import io.tinyfaas.gateway.ingress.http.HttpProblem;
import io.tinyfaas.gateway.ingress.http.HttpRequests;
import io.tinyfaas.gateway.ingress.http.Target;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.Lineage;
import io.tinyfaas.gateway.memory.Holder;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.tinyfaas.gateway.route.RoutedHandler;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpServerRequest;
import java.net.InetAddress;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A handler that calls functions: who it is, and what it may ask for, is known by its socket. On
 * the invocation loop only.
 */
final class CallingHandler implements HttpPeer {

  /** What no function's name has: a path that is none of a function or a call. */
  private static final Target NOWHERE = new Target("", "", null);

  private static final Pattern NUMBER = Pattern.compile("\\d{1,18}");

  private final PeerHolders holders;
  private final RoutedHandler handler;
  private Route route;

  /**
   * @param route of its function, in the latest table that has the handler
   */
  CallingHandler(PeerHolders holders, RoutedHandler handler, Route route) {
    this.holders = holders;
    this.handler = handler;
    this.route = route;
  }

  void routedBy(Route latest) {
    route = latest;
  }

  @Override
  public Protocol protocol() {
    return Protocol.FUNCTION;
  }

  @Override
  public Object place() {
    return this;
  }

  @Override
  public Holder holder() {
    return holders.ofFunction(caller());
  }

  private String caller() {
    return route.function().value();
  }

  @Override
  public Target target(String uri) {
    Target asked = Target.of(uri);
    if (asked.function().equals(HandlerHttp.CALLED_FUNCTIONS)) {
      return asked.below();
    }
    return asked.function().equals(Calls.PATH) ? asked : NOWHERE;
  }

  @Override
  public Optional<HttpProblem> refusal(HttpServerRequest request, Target target) {
    if (target.function().isEmpty()) {
      return Optional.of(noSuchPath());
    }
    if (!mayCall(target.function())) {
      return Optional.of(mayNotCall(target.function()));
    }
    MultiMap headers = request.headers();
    Optional<String> callback =
        headers.getAll(CallOptions.CALLBACK).stream().filter(to -> !mayCall(to.strip())).findAny();
    if (callback.isPresent()) {
      return Optional.of(mayNotCall(callback.get().strip()));
    }
    if (!isNumber(headers, HandlerHttp.DEADLINE_HEADER)
        || !isNumber(headers, HandlerHttp.DEPTH_HEADER)) {
      return Optional.of(
          HttpProblem.badRequest(
              HandlerHttp.DEADLINE_HEADER
                  + " and "
                  + HandlerHttp.DEPTH_HEADER
                  + " are numbers: hand them on as they came with the request, or leave them out."));
    }
    return depth(headers) > HandlerHttp.MAX_DEPTH ? Optional.of(tooDeep()) : Optional.empty();
  }

  private boolean mayCall(String function) {
    for (FunctionName name : route.mayCall()) {
      if (name.value().equals(function)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isNumber(MultiMap headers, String name) {
    String value = headers.get(name);
    return value == null || NUMBER.matcher(value).matches();
  }

  /** Of what it asks for: never less than what the gateway knows of what it is answering. */
  private long depth(MultiMap headers) {
    String told = headers.get(HandlerHttp.DEPTH_HEADER);
    return 1
        + (told == null
            ? handler.depths().greatest()
            : Math.max(Long.parseLong(told), handler.depths().least()));
  }

  @Override
  public Invocation toInvocation(HttpServerRequest request, Target target, byte[] body) {
    MultiMap headers = request.headers();
    String deadline = headers.get(HandlerHttp.DEADLINE_HEADER);
    return new Invocation(
        target.function(),
        Protocol.FUNCTION,
        InetAddress.getLoopbackAddress(),
        "",
        HttpRequests.toHeaders(request, target, Protocol.FUNCTION),
        body,
        new Lineage(
            caller(),
            // More may be running by now than when it was looked at.
            (int) Math.min(depth(headers), HandlerHttp.MAX_DEPTH),
            deadline == null ? Lineage.NO_DEADLINE : Math.max(1, Long.parseLong(deadline))));
  }

  /** What is running there may be waiting for what it asks. */
  @Override
  public boolean isAwaited() {
    return handler.inFlight() > 0;
  }

  private HttpProblem noSuchPath() {
    return new HttpProblem(
        404,
        "no-such-path",
        "There is nothing at this path",
        "A function is at /functions/NAME and below, a call at /calls/ID.",
        0);
  }

  private HttpProblem mayNotCall(String function) {
    return new HttpProblem(
        403,
        "not-in-calls",
        "The function may not call this one",
        "The field calls in the specification of "
            + caller()
            + " does not name "
            + (FunctionName.isValid(function) ? function : "it")
            + ": add it there.",
        0);
  }

  private HttpProblem tooDeep() {
    return new HttpProblem(
        508,
        "too-deep",
        "Too many functions led to this call",
        HandlerHttp.MAX_DEPTH
            + " functions at most call each other in turn. If it is a loop, end it; a function that"
            + " answers several requests at once hands on the header "
            + HandlerHttp.DEPTH_HEADER
            + " of the one that it calls for.",
        0);
  }

  @Override
  public HttpProblem overloaded() {
    return new HttpProblem(
        429,
        "too-many-of-function",
        "Too many invocations that this function asked for are running",
        "Wait for answers before calling again.",
        1);
  }
}
