package io.tinyfaas.gateway.ingress.coap.message;

import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.gateway.call.Acceptance;
import io.tinyfaas.gateway.call.Acceptance.Accepted;
import io.tinyfaas.gateway.call.Acceptance.KeyReused;
import io.tinyfaas.gateway.call.Acceptance.NoCallback;
import io.tinyfaas.gateway.call.Acceptance.NotStored;
import io.tinyfaas.gateway.call.Acceptance.Refused;
import io.tinyfaas.gateway.call.Acceptance.TooMany;
import io.tinyfaas.gateway.call.Calls;
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
import io.tinyfaas.gateway.result.EntityTags;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.californium.core.coap.BlockOption;
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

  /**
   * Until a restarted gateway routes again; and until the last of those who are told comes back.
   */
  private static final long MIN_RESTART_SECONDS = 3;

  private static final long MAX_RESTART_SECONDS = 10;
  private static final long MAX_SECONDS = 0xffff_ffffL;
  private static final int MAX_LOCATION_PART_BYTES = 255;
  private static final Set<String> SCHEMES = Set.of("coap", "coaps", "http", "https");

  /** The Host of the requests that handlers get. */
  private static final String HANDLER_HOST = "localhost";

  private static final Pattern MAX_AGE =
      Pattern.compile("(?:^|[\\s,])max-age=\"?(\\d{1,10})", Pattern.CASE_INSENSITIVE);
  private static final Pattern NOT_CACHED =
      Pattern.compile("(?:^|[\\s,])(?:no-store|no-cache|private)\\b", Pattern.CASE_INSENSITIVE);

  private CoapResponses() {}

  /** Whether an answer's options are the same whatever its body is. */
  public static boolean hasOptionsOfItsHead(Answered answer) {
    String tag = answer.headers().get(HttpHeaders.ETAG);
    return tag == null || EntityTags.toCoap(tag).isPresent();
  }

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
      case Stopping _ -> stopping();
      case TimedOut _ ->
          diagnostic(ResponseCode.GATEWAY_TIMEOUT, "the function did not answer in time");
      case BadRequest(String why) -> diagnostic(ResponseCode.BAD_REQUEST, why);
      case BadAnswer(String why) -> diagnostic(ResponseCode.BAD_GATEWAY, why);
    };
  }

  /** What became of the wish for a call. */
  public static Response toResponse(Request request, Acceptance acceptance) {
    return switch (acceptance) {
      case Accepted(CallId id) -> {
        Response created = new Response(ResponseCode.CREATED);
        created.getOptions().addLocationPath(Calls.PATH).addLocationPath(id.value());
        yield created;
      }
      case Refused(InvocationResult why) -> toResponse(request, why);
      case NoCallback(String why) ->
          diagnostic(ResponseCode.BAD_REQUEST, "the callback cannot be called: " + why);
      case TooMany _ -> tooMany("too many calls are waiting or have failed");
      case KeyReused _ ->
          diagnostic(ResponseCode.UNPROCESSABLE_ENTITY, "the key is that of another request");
      case NotStored _ -> unavailable("the call could not be written to disk");
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

  /** Until the gateway is back, not for all at the same moment. */
  public static Response stopping() {
    long seconds = ThreadLocalRandom.current().nextLong(MIN_RESTART_SECONDS, MAX_RESTART_SECONDS);
    return later(diagnostic(ResponseCode.SERVICE_UNAVAILABLE, "the gateway is stopping"), seconds);
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
    boolean carried = entityTag(request, code, headers, options);
    OptionalLong maxAge = maxAge(headers);
    if (maxAge.isPresent()) {
      options.setMaxAge(maxAge.getAsLong());
    } else if (code == ResponseCode.CONTENT || code == ResponseCode.VALID) {
      options.setMaxAge(0); // without it a cache may serve a function's answer for 60 s
    }
    if (code == ResponseCode.CREATED) {
      location(request, headers.get(HttpHeaders.LOCATION), options);
    }
    return carried || !hasBody ? response : tagged(request, response);
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

  /**
   * A 2.03 says which representation is valid (RFC 7252, 5.9.1.3): if asked for one, that one.
   *
   * @return false if the function has a tag that CoAP cannot carry
   */
  private static boolean entityTag(
      Request request, ResponseCode code, MultiMap headers, OptionSet options) {
    String tag = headers.get(HttpHeaders.ETAG);
    Optional<byte[]> carried = tag == null ? Optional.empty() : EntityTags.toCoap(tag);
    if (carried.isPresent()) {
      options.addETag(carried.get());
    } else if (code == ResponseCode.VALID && request.getOptions().getETagCount() == 1) {
      options.addETag(request.getOptions().getETags().getFirst());
    }
    return tag == null || carried.isPresent();
  }

  /**
   * Gives what was read the gateway's own ETag if it has none: the blocks of two representations
   * are told apart by it (RFC 7959, 2.4), and a device that names it is told that it has this one
   * already.
   */
  public static Response tagged(Request request, Response response) {
    OptionSet options = response.getOptions();
    if (!response.isSuccess()
        || !CoapRequests.isSafe(request.getCode())
        || options.getETagCount() > 0) {
      return response;
    }
    byte[] tag = EntityTags.of(response.getPayload(), options.getContentFormat());
    BlockOption asked = request.getOptions().getBlock2();
    boolean further = asked != null && asked.getNum() > 0;
    options.addETag(tag);
    if (further || !request.getOptions().containsETag(tag)) {
      return response;
    }
    Response valid = new Response(ResponseCode.VALID);
    valid.getOptions().addETag(tag);
    valid.getOptions().setMaxAge(options.getMaxAge());
    return valid;
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
   * that CoAP cannot carry is left out, as is one on another host, of which it would make a path of
   * this one.
   */
  private static void location(Request request, String location, OptionSet options) {
    if (location == null) {
      return;
    }
    try {
      URI uri = URI.create(location.strip());
      if (uri.isOpaque() || !isHere(uri, request.getOptions())) {
        return;
      }
      uri = URI.create("coap://gateway" + CoapRequests.path(request)).resolve(uri);
      List<String> segments = parts(uri.getRawPath(), "/");
      List<String> arguments = parts(uri.getRawQuery(), "&");
      if (fit(segments) && fit(arguments)) {
        segments.forEach(options::addLocationPath);
        arguments.forEach(options::addLocationQuery);
      }
    } catch (IllegalArgumentException | CharacterCodingException e) {
      // no URI, or one in which not all is UTF-8
    }
  }

  /** Whether it has the host that the device asked, or the one that handlers are asked as. */
  private static boolean isHere(URI uri, OptionSet asked) {
    if (uri.getScheme() != null && !SCHEMES.contains(uri.getScheme().toLowerCase(Locale.ROOT))) {
      return false;
    }
    String host = uri.getRawAuthority();
    if (host == null || host.equalsIgnoreCase(HANDLER_HOST)) {
      return true;
    }
    String port = asked.hasUriPort() ? ":" + asked.getUriPort() : "";
    return asked.hasUriHost()
        && (host.equalsIgnoreCase(asked.getUriHost())
            || host.equalsIgnoreCase(asked.getUriHost() + port));
  }

  private static List<String> parts(String raw, String separator) throws CharacterCodingException {
    if (raw == null || raw.isEmpty() || raw.equals(separator)) {
      return List.of();
    }
    String text = raw.startsWith(separator) ? raw.substring(1) : raw;
    List<String> parts = new ArrayList<>();
    for (String part : text.split(separator, -1)) {
      parts.add(decoded(part));
    }
    return parts;
  }

  private static String decoded(String part) throws CharacterCodingException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] encoded = part.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < encoded.length; i++) {
      if (encoded[i] == '%') {
        bytes.write(Character.digit(encoded[i + 1], 16) << 4 | Character.digit(encoded[i + 2], 16));
        i += 2;
      } else {
        bytes.write(encoded[i]);
      }
    }
    return utf8(ByteBuffer.wrap(bytes.toByteArray()));
  }

  private static String utf8(ByteBuffer text) throws CharacterCodingException {
    return StandardCharsets.UTF_8.newDecoder().decode(text).toString();
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
      return utf8(shown).strip();
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
