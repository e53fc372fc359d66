package io.tinyfaas.gateway.ingress.http;

import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.gateway.call.CallOptions;
import io.tinyfaas.gateway.ingress.Protocol;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** HTTP requests to invocations: which function is meant, and what its handler is told. */
public final class HttpRequests {

  /** Of these the gateway alone says something, but for the client's wish not to wait. */
  private static final String OURS = "x-tinyfaas-";

  private static final String ASYNC = CallOptions.ASYNC.toLowerCase(Locale.ROOT);

  private static final CharSequence METHOD = name(HandlerHttp.METHOD_HEADER);
  private static final CharSequence PATH = name(HandlerHttp.PATH_HEADER);
  private static final CharSequence QUERY = name(HandlerHttp.QUERY_HEADER);
  private static final CharSequence PROTOCOL = name(HandlerHttp.PROTOCOL_HEADER);

  private static final Pattern CLOSE =
      Pattern.compile("(?:^|[\\s,])close(?:$|[\\s,])", Pattern.CASE_INSENSITIVE);

  private HttpRequests() {}

  private static CharSequence name(String header) {
    return HttpHeaders.createOptimized(header);
  }

  /**
   * The answer to a request that is none for a function, whichever it names. What could be read
   * differently by a proxy before us is refused: RFC 9112, 6.1 and 3.2.
   */
  static Optional<HttpProblem> refusal(HttpServerRequest request, Target target) {
    MultiMap headers = request.headers();
    if (target.length() > HttpServing.MAX_LINE_BYTES) {
      return Optional.of(
          new HttpProblem(
              414,
              "uri-too-long",
              "The target is too long",
              "Percent-encoded, it has at most " + HttpServing.MAX_LINE_BYTES + " bytes.",
              0));
    }
    if (request.method().equals(HttpMethod.CONNECT)) {
      return Optional.of(HttpProblem.notImplemented("This is no proxy."));
    }
    List<String> codings = headers.getAll(HttpHeaders.TRANSFER_ENCODING);
    if (!codings.isEmpty()) {
      if (request.version() == HttpVersion.HTTP_1_0) {
        return Optional.of(HttpProblem.badRequest("HTTP/1.0 has no Transfer-Encoding."));
      }
      if (codings.size() > 1 || !codings.getFirst().strip().equalsIgnoreCase("chunked")) {
        return Optional.of(HttpProblem.notImplemented("The only Transfer-Encoding is chunked."));
      }
    }
    int hosts = headers.getAll(HttpHeaders.HOST).size();
    if (hosts > 1 || hosts == 0 && request.version() != HttpVersion.HTTP_1_0) {
      return Optional.of(HttpProblem.badRequest("A request has one Host field."));
    }
    String expectation = headers.get(HttpHeaders.EXPECT);
    return expectation == null || expectation.equalsIgnoreCase("100-continue")
        ? Optional.empty()
        : Optional.of(
            new HttpProblem(
                417,
                "expectation-failed",
                "The expectation cannot be met",
                "The only one is 100-continue.",
                0));
  }

  /** The answer to a request that is not even HTTP, or that is too long to be looked at. */
  static HttpProblem unreadable(Throwable why) {
    return switch (why) {
      case TooLongHttpLineException _ ->
          new HttpProblem(414, "uri-too-long", "The target is too long", why.getMessage(), 0);
      case TooLongHttpHeaderException _ ->
          new HttpProblem(431, "header-too-large", "The header is too large", why.getMessage(), 0);
      case null, default -> HttpProblem.badRequest("It could not be parsed.");
    };
  }

  /**
   * Whether the client wants the connection closed; Vert.x sees that only where nothing else is
   * named.
   */
  static boolean isLast(HttpServerRequest request) {
    String options = request.getHeader(HttpHeaders.CONNECTION);
    return options != null && CLOSE.matcher(options).find();
  }

  /**
   * Whether the client sends no body before it is told to go on. One with HTTP/1.0 would take that
   * for the answer (RFC 9110, 10.1.1).
   */
  static boolean isExpecting(HttpServerRequest request) {
    return request.version() != HttpVersion.HTTP_1_0
        && request.headers().contains(HttpHeaders.EXPECT);
  }

  /** What its handler is told of a request, but for who has sent it. */
  public static MultiMap toHeaders(HttpServerRequest request, Target target, Protocol protocol) {
    MultiMap headers = HttpHeaders.headers();
    passOn(request.headers(), headers);
    headers.set(METHOD, request.method().name());
    if (!target.rest().isEmpty()) {
      headers.set(PATH, target.rest());
    }
    if (target.query() != null) {
      headers.set(QUERY, target.query());
    }
    return headers.set(PROTOCOL, protocol.label());
  }

  private static void passOn(MultiMap from, MultiMap to) {
    HopByHop hopByHop = new HopByHop(from);
    for (Map.Entry<String, String> field : from) {
      String name = field.getKey().toLowerCase(Locale.ROOT);
      if (!hopByHop.contains(name) && (!name.startsWith(OURS) || name.equals(ASYNC))) {
        to.add(field.getKey(), field.getValue());
      }
    }
  }
}
