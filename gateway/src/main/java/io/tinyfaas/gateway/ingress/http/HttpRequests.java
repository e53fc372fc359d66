package io.tinyfaas.gateway.ingress.http;

import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.peer.PeerNetwork;
import io.tinyfaas.gateway.call.CallOptions;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.invoke.Invocation;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.SocketAddress;
import java.net.InetAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** HTTP requests to invocations: which function is meant, and what its handler is told. */
final class HttpRequests {

  /** Of these the gateway alone says something, but for the client's wish not to wait. */
  private static final String OURS = "x-tinyfaas-";

  private static final String ASYNC = CallOptions.ASYNC.toLowerCase(Locale.ROOT);

  private static final CharSequence METHOD = name(HandlerHttp.METHOD_HEADER);
  private static final CharSequence PATH = name(HandlerHttp.PATH_HEADER);
  private static final CharSequence QUERY = name(HandlerHttp.QUERY_HEADER);
  private static final CharSequence PROTOCOL = name(HandlerHttp.PROTOCOL_HEADER);
  private static final CharSequence PEER = name(HandlerHttp.PEER_HEADER);

  private static final Pattern CLOSE =
      Pattern.compile("(?:^|[\\s,])close(?:$|[\\s,])", Pattern.CASE_INSENSITIVE);

  private static final char[] HEX = "0123456789ABCDEF".toCharArray();

  private HttpRequests() {}

  private static CharSequence name(String header) {
    return HttpHeaders.createOptimized(header);
  }

  /**
   * A request's target in its parts.
   *
   * @param function the first segment, decoded
   * @param rest what follows it with its slash, percent-encoded; empty if nothing does
   * @param query without its question mark, percent-encoded; null if there is none
   */
  record Target(String function, String rest, String query) {

    /** Of a request line, be it a path or a whole URI (RFC 9112, 3.2). */
    static Target of(String uri) {
      String target = encoded(withoutAuthority(uri));
      int fragment = target.indexOf('#');
      String whole = fragment < 0 ? target : target.substring(0, fragment);
      int question = whole.indexOf('?');
      String path = question < 0 ? whole : whole.substring(0, question);
      int slash = path.indexOf('/', 1);
      return new Target(
          decoded(slash < 0 ? path : path.substring(0, slash)),
          slash < 0 ? "" : path.substring(slash),
          question < 0 ? null : whole.substring(question + 1));
    }

    /** Without the first segment. */
    Target below() {
      return of(rest + (query == null ? "" : '?' + query));
    }

    /** In bytes, of what its handler is told. */
    int length() {
      return rest.length() + (query == null ? 0 : query.length());
    }

    private static String withoutAuthority(String uri) {
      int scheme = uri.startsWith("/") ? -1 : uri.indexOf("://");
      if (scheme < 0) {
        return uri;
      }
      int path = uri.indexOf('/', scheme + 3);
      return path < 0 ? "/" : uri.substring(path);
    }

    private static String decoded(String segment) {
      String name = segment.startsWith("/") ? segment.substring(1) : "";
      try {
        return name.indexOf('%') < 0
            ? name
            : URLDecoder.decode(name.replace("+", "%2B"), StandardCharsets.UTF_8);
      } catch (IllegalArgumentException e) {
        return name; // no function is called like that
      }
    }

    /** What a client should have encoded, it may have sent as it is: one character is one byte. */
    private static String encoded(String uri) {
      if (uri.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
        return uri;
      }
      StringBuilder text = new StringBuilder();
      uri.chars()
          .forEach(
              c -> {
                if (c > ' ' && c < 0x7f) {
                  text.append((char) c);
                } else {
                  text.append('%').append(HEX[c >> 4 & 0xf]).append(HEX[c & 0xf]);
                }
              });
      return text.toString();
    }
  }

  /**
   * The answer to a request that is none for a function, whichever it names. What could be read
   * differently by a proxy before us is refused: RFC 9112, 6.1 and 3.2.
   */
  static Optional<HttpProblem> refusal(HttpServerRequest request, Target target) {
    MultiMap headers = request.headers();
    if (target.length() > HttpIngress.MAX_LINE_BYTES) {
      return Optional.of(
          new HttpProblem(
              414,
              "uri-too-long",
              "The target is too long",
              "Percent-encoded, it has at most " + HttpIngress.MAX_LINE_BYTES + " bytes.",
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

  static Invocation toInvocation(
      HttpServerRequest request, InetAddress peer, Target target, byte[] body) {
    MultiMap headers = HttpHeaders.headers();
    passOn(request.headers(), headers);
    headers.set(METHOD, request.method().name());
    if (!target.rest().isEmpty()) {
      headers.set(PATH, target.rest());
    }
    if (target.query() != null) {
      headers.set(QUERY, target.query());
    }
    headers.set(PROTOCOL, Protocol.HTTP.label());
    headers.set(PEER, peer(request.remoteAddress()));
    return new Invocation(target.function(), Protocol.HTTP, peer, headers, body);
  }

  /** Whom it counts for. */
  static InetAddress address(SocketAddress peer) {
    return PeerNetwork.of(InetAddress.ofLiteral(peer.hostAddress()));
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

  private static String peer(SocketAddress peer) {
    String address = peer.hostAddress();
    return (address.indexOf(':') < 0 ? address : '[' + address + ']') + ':' + peer.port();
  }
}
