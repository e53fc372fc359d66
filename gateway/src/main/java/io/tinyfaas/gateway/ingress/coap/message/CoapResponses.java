package io.tinyfaas.gateway.ingress.coap.message;

import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.BadAnswer;
import io.tinyfaas.gateway.invoke.InvocationResult.NoHandler;
import io.tinyfaas.gateway.invoke.InvocationResult.NoRouteTable;
import io.tinyfaas.gateway.invoke.InvocationResult.Overloaded;
import io.tinyfaas.gateway.invoke.InvocationResult.PeerOverloaded;
import io.tinyfaas.gateway.invoke.InvocationResult.TimedOut;
import io.tinyfaas.gateway.invoke.InvocationResult.Unauthorized;
import io.tinyfaas.gateway.invoke.InvocationResult.UnknownFunction;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;

/** What became of an invocation, said in CoAP: the only place where outcomes become codes. */
public final class CoapResponses {

  /** The longest diagnostic payload: an error stays in one datagram. */
  private static final int MAX_DIAGNOSTIC_BYTES = 512;

  /** Until a handler is back: a restarted one takes about a second. */
  private static final long NO_HANDLER_SECONDS = 2;

  private static final long OVERLOADED_SECONDS = 1;
  private static final long MAX_SECONDS = 0xffff_ffffL;
  private static final int MAX_LOCATION_PART_BYTES = 255;
  private static final Pattern MAX_AGE =
      Pattern.compile("(?:^|[\\s,])max-age=\"?(\\d{1,10})", Pattern.CASE_INSENSITIVE);
  private static final Pattern NOT_CACHED =
      Pattern.compile("(?:^|[\\s,])(?:no-store|no-cache|private)\\b", Pattern.CASE_INSENSITIVE);

  private CoapResponses() {}

  public static Response toResponse(Request request, InvocationResult result) {
    return switch (result) {
      case Answered answered -> answered(request, answered);
      case NoRouteTable _ -> noRouteTable();
      case UnknownFunction _ -> diagnostic(ResponseCode.NOT_FOUND, "no such function");
      case Unauthorized _ ->
          diagnostic(
              ResponseCode.UNAUTHORIZED, "the function is for registered devices: use coaps");
      case NoHandler _ ->
          later(
              diagnostic(ResponseCode.SERVICE_UNAVAILABLE, "the function has no healthy handler"),
              NO_HANDLER_SECONDS);
      case Overloaded _ -> unavailable("too many invocations are running");
      case PeerOverloaded _ -> tooMany("wait for answers before asking again");
      case TimedOut _ ->
          diagnostic(ResponseCode.GATEWAY_TIMEOUT, "the function did not answer in time");
      case BadAnswer(String why) -> diagnostic(ResponseCode.BAD_GATEWAY, why);
    };
  }

  /** Which functions there are is not known yet. */
  public static Response noRouteTable() {
    return unavailable("the gateway has no route table yet");
  }

  /** For a moment; the device is to come back in a second. */
  public static Response unavailable(String why) {
    return later(diagnostic(ResponseCode.SERVICE_UNAVAILABLE, why), OVERLOADED_SECONDS);
  }

  /** For a device that asks more than its share (RFC 8516). */
  public static Response tooMany(String why) {
    return later(diagnostic(ResponseCode.TOO_MANY_REQUESTS, why), OVERLOADED_SECONDS);
  }

  /** A diagnostic is UTF-8 without a Content-Format (RFC 7252, 5.5.2). */
  public static Response diagnostic(ResponseCode code, String text) {
    Response response = new Response(code);
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    response.setPayload(Arrays.copyOf(bytes, wholeCharacters(bytes)));
    return response;
  }

  private static Response later(Response response, long seconds) {
    response.getOptions().setMaxAge(Math.min(seconds, MAX_SECONDS));
    return response;
  }

  private static Response answered(Request request, Answered answer) {
    int status = answer.status();
    if (status >= 400 && status < 600) {
      return error(answer);
    }
    if (status != 304 && (status < 200 || status > 299)) {
      return diagnostic(
          ResponseCode.BAD_GATEWAY,
          "the function answered with status " + status + ", which has no meaning in CoAP");
    }
    ResponseCode code = successCode(status, request.getCode());
    Response response = new Response(code);
    OptionSet options = response.getOptions();
    MultiMap headers = answer.headers();
    boolean hasBody = status != 304 && status != 204 && answer.body().length > 0;
    if (hasBody) {
      response.setPayload(answer.body());
      contentFormat(headers, options);
    }
    entityTag(request, code, headers, options);
    OptionalLong maxAge = maxAge(headers);
    if (maxAge.isPresent()) {
      options.setMaxAge(maxAge.getAsLong());
    } else if (code == ResponseCode.CONTENT || code == ResponseCode.VALID) {
      options.setMaxAge(0); // without it a cache may serve a function's answer for 60 s
    }
    if (code == ResponseCode.CREATED) {
      location(request, headers.get(HttpHeaders.LOCATION), options);
    }
    return response;
  }

  private static ResponseCode successCode(int status, Code method) {
    return switch (status) {
      case 201 -> ResponseCode.CREATED;
      case 204 -> method == Code.DELETE ? ResponseCode.DELETED : ResponseCode.CHANGED;
      case 304 -> ResponseCode.VALID;
      default ->
          switch (method) {
            case GET, FETCH -> ResponseCode.CONTENT;
            case DELETE -> ResponseCode.DELETED;
            case POST, PUT, PATCH, IPATCH, CUSTOM_30 -> ResponseCode.CHANGED;
          };
    };
  }

  private static Response error(Answered answer) {
    ResponseCode code = errorCode(answer.status());
    Response response = diagnostic(code, text(answer.body()));
    OptionalLong maxAge =
        code == ResponseCode.TOO_MANY_REQUESTS || code == ResponseCode.SERVICE_UNAVAILABLE
            ? retryAfter(answer.headers())
            : maxAge(answer.headers());
    maxAge.ifPresent(seconds -> later(response, seconds));
    return response;
  }

  private static ResponseCode errorCode(int status) {
    return switch (status) {
      case 401 -> ResponseCode.UNAUTHORIZED;
      case 403 -> ResponseCode.FORBIDDEN;
      case 404 -> ResponseCode.NOT_FOUND;
      case 405 -> ResponseCode.METHOD_NOT_ALLOWED;
      case 406 -> ResponseCode.NOT_ACCEPTABLE;
      case 409 -> ResponseCode.CONFLICT;
      case 412 -> ResponseCode.PRECONDITION_FAILED;
      case 413 -> ResponseCode.REQUEST_ENTITY_TOO_LARGE;
      case 415 -> ResponseCode.UNSUPPORTED_CONTENT_FORMAT;
      case 422 -> ResponseCode.UNPROCESSABLE_ENTITY;
      case 429 -> ResponseCode.TOO_MANY_REQUESTS;
      case 501 -> ResponseCode.NOT_IMPLEMENTED;
      case 502 -> ResponseCode.BAD_GATEWAY;
      case 503 -> ResponseCode.SERVICE_UNAVAILABLE;
      case 504 -> ResponseCode.GATEWAY_TIMEOUT;
      default -> status < 500 ? ResponseCode.BAD_REQUEST : ResponseCode.INTERNAL_SERVER_ERROR;
    };
  }

  private static void contentFormat(MultiMap headers, OptionSet options) {
    String type = headers.get(HttpHeaders.CONTENT_TYPE);
    if (type != null) {
      String coding = headers.get(HttpHeaders.CONTENT_ENCODING);
      ContentFormats.number(type, coding == null ? "" : coding)
          .ifPresent(options::setContentFormat);
    }
  }

  /** A 2.03 says which representation is valid (RFC 7252, 5.9.1.3): if asked for one, that one. */
  private static void entityTag(
      Request request, ResponseCode code, MultiMap headers, OptionSet options) {
    String tag = headers.get(HttpHeaders.ETAG);
    if (tag != null) {
      EntityTags.toCoap(tag).ifPresent(options::addETag);
    } else if (code == ResponseCode.VALID && request.getOptions().getETagCount() == 1) {
      options.addETag(request.getOptions().getETags().getFirst());
    }
  }

  private static OptionalLong maxAge(MultiMap headers) {
    String control = headers.get(HttpHeaders.CACHE_CONTROL);
    if (control == null) {
      return OptionalLong.empty();
    }
    if (NOT_CACHED.matcher(control).find()) {
      return OptionalLong.of(0);
    }
    Matcher matcher = MAX_AGE.matcher(control);
    return matcher.find()
        ? OptionalLong.of(Math.min(Long.parseLong(matcher.group(1)), MAX_SECONDS))
        : OptionalLong.empty();
  }

  /** Retry-After is seconds or a date (RFC 9110, 10.2.3). */
  private static OptionalLong retryAfter(MultiMap headers) {
    String after = headers.get(HttpHeaders.RETRY_AFTER);
    if (after == null) {
      return OptionalLong.empty();
    }
    try {
      if (after.chars().allMatch(c -> c >= '0' && c <= '9')) {
        return OptionalLong.of(Long.parseLong(after));
      }
      Instant date = Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(after));
      return OptionalLong.of(Math.max(0, Duration.between(Instant.now(), date).toSeconds()));
    } catch (NumberFormatException | DateTimeException e) {
      return OptionalLong.empty();
    }
  }

  /**
   * The path and query of Location, which may be relative to the request's (RFC 7252, 5.10.7). One
   * that CoAP cannot carry is left out.
   */
  private static void location(Request request, String location, OptionSet options) {
    if (location == null) {
      return;
    }
    URI uri;
    try {
      uri = URI.create("coap://gateway/" + request.getOptions().getUriPathString());
      uri = uri.resolve(location.strip());
    } catch (IllegalArgumentException e) {
      return;
    }
    List<String> segments = parts(uri.getRawPath(), "/");
    List<String> arguments = parts(uri.getRawQuery(), "&");
    if (fit(segments) && fit(arguments)) {
      segments.forEach(options::addLocationPath);
      arguments.forEach(options::addLocationQuery);
    }
  }

  private static List<String> parts(String raw, String separator) {
    if (raw == null || raw.isEmpty() || raw.equals(separator)) {
      return List.of();
    }
    String text = raw.startsWith(separator) ? raw.substring(1) : raw;
    return Arrays.stream(text.split(separator, -1)).map(CoapResponses::decoded).toList();
  }

  private static String decoded(String part) {
    return URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  private static boolean fit(List<String> parts) {
    return parts.stream()
        .allMatch(
            part ->
                part.getBytes(StandardCharsets.UTF_8).length <= MAX_LOCATION_PART_BYTES
                    && !part.equals(".")
                    && !part.equals(".."));
  }

  /** The body as text; empty if it is not UTF-8. */
  private static String text(byte[] body) {
    try {
      ByteBuffer shown = ByteBuffer.wrap(body, 0, wholeCharacters(body));
      return StandardCharsets.UTF_8.newDecoder().decode(shown).toString().strip();
    } catch (CharacterCodingException e) {
      return "";
    }
  }

  /** How many bytes to keep of a UTF-8 text that may be too long, not to end within a character. */
  private static int wholeCharacters(byte[] text) {
    int end = Math.min(text.length, MAX_DIAGNOSTIC_BYTES);
    while (end > 0 && end < text.length && (text[end] & 0xc0) == 0x80) {
      end--;
    }
    return end;
  }
}
