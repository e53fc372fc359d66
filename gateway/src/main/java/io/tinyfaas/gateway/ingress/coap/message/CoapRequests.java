package io.tinyfaas.gateway.ingress.coap.message;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.gateway.device.DeviceIdentity;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.ingress.coap.dtls.DtlsConnector;
import io.tinyfaas.gateway.ingress.coap.message.ContentFormats.MediaType;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.result.EntityTags;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.elements.EndpointContext;

/** CoAP requests to invocations: which function is meant, and what its handler is told. */
public final class CoapRequests {

  private static final CharSequence METHOD = name(HandlerHttp.METHOD_HEADER);
  private static final CharSequence PATH = name(HandlerHttp.PATH_HEADER);
  private static final CharSequence QUERY = name(HandlerHttp.QUERY_HEADER);
  private static final CharSequence PROTOCOL = name(HandlerHttp.PROTOCOL_HEADER);
  private static final CharSequence PEER = name(HandlerHttp.PEER_HEADER);
  private static final CharSequence MESSAGE_TYPE = name(HandlerHttp.MESSAGE_TYPE_HEADER);

  /**
   * RFC 7252, 6.5: what stands for itself in a path segment and in a query argument. There a plus
   * does, too, but functions that read queries as forms would take it for a space.
   */
  private static final String UNRESERVED =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

  private static final String IN_SEGMENT = UNRESERVED + "!$&'()*+,;=:@";
  private static final String IN_ARGUMENT = UNRESERVED + "!$'()*,;=:@/?";
  private static final char[] HEX = "0123456789ABCDEF".toCharArray();

  private CoapRequests() {}

  private static CharSequence name(String header) {
    return HttpHeaders.createOptimized(header);
  }

  /** The answer to a request that is none for a function, whichever it names. */
  public static Optional<ResponseCode> refusal(Request request) {
    OptionSet options = request.getOptions();
    if (options.hasProxyUri() || options.hasProxyScheme()) {
      return Optional.of(ResponseCode.PROXY_NOT_SUPPORTED);
    }
    return request.getCode() == Code.CUSTOM_30
        ? Optional.of(ResponseCode.METHOD_NOT_ALLOWED)
        : Optional.empty();
  }

  /** Whether it has no effects (RFC 7252, 5.1; RFC 8132, 2.1), so that it may be run again. */
  public static boolean isSafe(Code method) {
    return method == Code.GET || method == Code.FETCH;
  }

  public static Invocation toInvocation(Request request) {
    return toInvocation(request, request.getOptions().getUriPath());
  }

  /**
   * @param path of the function and what is below it, whatever the request's own is
   */
  public static Invocation toInvocation(Request request, List<String> path) {
    OptionSet options = request.getOptions();
    EndpointContext source = request.getSourceContext();
    Optional<DeviceIdentity> device = DtlsConnector.identity(source.getPeerIdentity());
    Protocol protocol = device.isPresent() ? Protocol.COAPS : Protocol.COAP;
    MultiMap headers =
        headers(
            request.getCode(),
            path,
            options.getUriQuery(),
            protocol,
            source.getPeerAddress(),
            request.isConfirmable());
    if (options.hasContentFormat()) {
      contentFormat(options.getContentFormat(), headers);
    }
    if (options.hasAccept()) {
      accept(options.getAccept(), headers);
    }
    conditions(options, headers);
    return new Invocation(
        path.isEmpty() ? "" : path.getFirst(),
        protocol,
        source.getPeerAddress().getAddress(),
        device.map(DeviceIdentity::name).orElse(""),
        headers,
        request.getPayload());
  }

  public static Invocation toInvocation(PlainRequest request, InetSocketAddress peer) {
    MultiMap headers =
        headers(request.method(), request.path(), request.query(), Protocol.COAP, peer, true);
    if (request.contentFormat() != PlainRequest.NONE) {
      contentFormat(request.contentFormat(), headers);
    }
    if (request.accept() != PlainRequest.NONE) {
      accept(request.accept(), headers);
    }
    return new Invocation(
        request.function(), Protocol.COAP, peer.getAddress(), headers, request.payload());
  }

  private static MultiMap headers(
      Code method,
      List<String> path,
      List<String> query,
      Protocol protocol,
      InetSocketAddress peer,
      boolean confirmable) {
    MultiMap headers = MultiMap.caseInsensitiveMultiMap();
    headers.add(METHOD, method(method));
    if (path.size() > 1) {
      headers.add(PATH, join('/', path.subList(1, path.size()), IN_SEGMENT));
    }
    if (!query.isEmpty()) {
      headers.add(QUERY, join('&', query, IN_ARGUMENT).substring(1));
    }
    headers.add(PROTOCOL, protocol.label());
    headers.add(PEER, peer(peer));
    headers.add(MESSAGE_TYPE, confirmable ? "CON" : "NON");
    return headers;
  }

  private static void contentFormat(int number, MultiMap headers) {
    MediaType type = ContentFormats.mediaType(number);
    headers.add(HttpHeaders.CONTENT_TYPE, type.type());
    if (!type.coding().isEmpty()) {
      headers.set(HttpHeaders.CONTENT_ENCODING, type.coding());
    }
  }

  private static void accept(int number, MultiMap headers) {
    MediaType type = ContentFormats.mediaType(number);
    headers.add(HttpHeaders.ACCEPT, type.type());
    if (!type.coding().isEmpty()) {
      headers.set(HttpHeaders.ACCEPT_ENCODING, type.coding());
    }
  }

  /**
   * A CoAP request's ETags ask for validation (RFC 7252, 5.10.6.2), which in HTTP is If-None-Match;
   * CoAP's If-None-Match is HTTP's with an asterisk, and goes before.
   */
  private static void conditions(OptionSet options, MultiMap headers) {
    if (options.getETagCount() > 0) {
      String tags = tags(options.getETags());
      headers.set(HttpHeaders.ETAG, tags);
      headers.set(HttpHeaders.IF_NONE_MATCH, tags);
    }
    if (options.hasIfNoneMatch()) {
      headers.set(HttpHeaders.IF_NONE_MATCH, "*");
    }
    if (options.getIfMatchCount() > 0) {
      boolean any = options.getIfMatch().stream().anyMatch(tag -> tag.length == 0);
      headers.set(HttpHeaders.IF_MATCH, any ? "*" : tags(options.getIfMatch()));
    }
  }

  private static String tags(List<byte[]> tags) {
    return tags.stream().map(EntityTags::toHttp).collect(Collectors.joining(", "));
  }

  private static String method(Code code) {
    return code == Code.IPATCH ? "iPATCH" : code.name();
  }

  private static String peer(InetSocketAddress peer) {
    String address = peer.getAddress().getHostAddress();
    return (peer.getAddress() instanceof Inet6Address ? '[' + address + ']' : address)
        + ':'
        + peer.getPort();
  }

  /** The request's path, as it stands in a URI. */
  static String path(Request request) {
    return join('/', request.getOptions().getUriPath(), IN_SEGMENT);
  }

  /** Each part with the separator before it, percent-encoded. */
  private static String join(char separator, List<String> parts, String literal) {
    StringBuilder text = new StringBuilder();
    for (String part : parts) {
      text.append(separator);
      for (byte b : part.getBytes(StandardCharsets.UTF_8)) {
        if (b > 0 && literal.indexOf(b) >= 0) {
          text.append((char) b);
        } else {
          text.append('%').append(HEX[b >> 4 & 0xf]).append(HEX[b & 0xf]);
        }
      }
    }
    return text.toString();
  }
}
