package io.tinyfaas.function;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a function answers.
 *
 * @param status an HTTP status from 200 to 599, which the gateway translates for the device
 * @param headers by name, in any case
 * @param body not copied; not sent with the statuses 204 and 304, which have none
 */
public record Response(int status, Map<String, String> headers, byte[] body) {

  private static final int MAX_HEADERS = 64;
  private static final int MAX_HEADER_LENGTH = 4096;

  /** These frame the message on its connection, and are the server's to set. */
  private static final Set<String> OF_THE_CONNECTION =
      Set.of(
          "connection",
          "content-length",
          "keep-alive",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade");

  /**
   * @throws IllegalArgumentException if the status is out of range, there are more than 64 headers,
   *     one is longer than 4,096 characters, or one cannot be sent (RFC 9110, section 5)
   */
  public Response {
    Objects.requireNonNull(body, "body");
    if (status < 200 || status > 599) {
      throw new IllegalArgumentException("status " + status + " is not between 200 and 599");
    }
    if (headers.size() > MAX_HEADERS) {
      throw new IllegalArgumentException(
          headers.size() + " headers in an answer; at most " + MAX_HEADERS);
    }
    Map<String, String> byName = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    headers.forEach(
        (name, value) -> {
          check(name, value);
          byName.put(name, value);
        });
    headers = Collections.unmodifiableMap(byName);
  }

  public static Response text(String text) {
    return of("text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * @param json already serialised
   */
  public static Response json(String json) {
    return of("application/json", json.getBytes(StandardCharsets.UTF_8));
  }

  public static Response of(String contentType, byte[] body) {
    return new Response(200, Map.of("Content-Type", contentType), body);
  }

  /** An answer without a body. */
  public static Response empty(int status) {
    return new Response(status, Map.of(), new byte[0]);
  }

  public Response withStatus(int status) {
    return new Response(status, headers, body);
  }

  /** The same answer with this header, instead of one of the same name. */
  public Response withHeader(String name, String value) {
    Map<String, String> more = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    more.putAll(headers);
    more.put(name, value);
    return new Response(status, more, body);
  }

  private static void check(String name, String value) {
    if (OF_THE_CONNECTION.contains(name.toLowerCase(Locale.ROOT))) {
      throw new IllegalArgumentException("a function cannot set the header " + name);
    }
    if (name.length() + value.length() > MAX_HEADER_LENGTH) {
      throw new IllegalArgumentException(
          "header " + name + " has more than " + MAX_HEADER_LENGTH + " characters");
    }
    checkHeader(name, value);
  }

  /** Of an answer or of a call: whether HTTP can send it. */
  static void checkHeader(String name, String value) {
    checkToken(name, "header name");
    if (!value.chars().allMatch(c -> c == '\t' || c >= ' ' && c <= 0xFF && c != 0x7F)) {
      throw new IllegalArgumentException(
          "header " + name + " holds a character that HTTP does not allow there");
    }
  }

  /** A word such as the name of a method or a header (RFC 9110, section 5.6.2). */
  static void checkToken(String word, String what) {
    if (word.isEmpty() || !word.chars().allMatch(Response::isTokenCharacter)) {
      throw new IllegalArgumentException("not a " + what + ": \"" + word + "\"");
    }
  }

  private static boolean isTokenCharacter(int c) {
    return c >= 'a' && c <= 'z'
        || c >= 'A' && c <= 'Z'
        || c >= '0' && c <= '9'
        || "!#$%&'*+-.^_`|~".indexOf(c) >= 0;
  }
}
