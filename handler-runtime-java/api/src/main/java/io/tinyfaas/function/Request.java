package io.tinyfaas.function;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * One invocation, as the device sent it.
 *
 * @param method the device's: {@code GET}, {@code POST}, {@code PUT}, {@code DELETE}, {@code
 *     FETCH}, {@code PATCH} or {@code iPATCH}
 * @param path what followed the function's name, percent-encoded, with its leading slash; empty
 *     when nothing did
 * @param query without the question mark, percent-encoded; empty when there was none
 * @param headers by name, in any case; several of one name are joined by {@code ", "}
 * @param body not copied; empty when there was none
 */
public record Request(
    String method, String path, String query, Map<String, String> headers, byte[] body) {

  public Request {
    Objects.requireNonNull(method, "method");
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(query, "query");
    Objects.requireNonNull(body, "body");
    Map<String, String> byName = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    byName.putAll(headers);
    headers = Collections.unmodifiableMap(byName);
  }

  /** A {@code POST} of a text, as tests of a function need it. */
  public static Request of(String text) {
    return new Request("POST", "", "", Map.of(), text.getBytes(StandardCharsets.UTF_8));
  }

  /** The body as UTF-8; what is not UTF-8 becomes U+FFFD. */
  public String text() {
    return new String(body, StandardCharsets.UTF_8);
  }

  public Optional<String> header(String name) {
    return Optional.ofNullable(headers.get(name));
  }

  /**
   * The first parameter of that name in the query, decoded as HTML forms write it: a plus is a
   * space, and the gateway has {@code %2B} for the plus of a CoAP query (RFC 7252, section 6.4). A
   * parameter without {@code =} is empty.
   *
   * @throws IllegalArgumentException if the device sent a broken percent-encoding
   */
  public Optional<String> parameter(String name) {
    for (String parameter : query.split("&")) {
      int equals = parameter.indexOf('=');
      String key = equals < 0 ? parameter : parameter.substring(0, equals);
      if (decoded(key).equals(name)) {
        return Optional.of(equals < 0 ? "" : decoded(parameter.substring(equals + 1)));
      }
    }
    return Optional.empty();
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }
}
