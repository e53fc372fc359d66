package io.tinyfaas.gateway.ingress.http;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;

/**
 * A request's target in its parts.
 *
 * @param function the first segment, decoded
 * @param rest what follows it with its slash, percent-encoded; empty if nothing does
 * @param query without its question mark, percent-encoded; null if there is none
 */
public record Target(String function, String rest, String query) {

  private static final char[] HEX = "0123456789ABCDEF".toCharArray();

  /** Of a request line, be it a path or a whole URI (RFC 9112, 3.2). */
  public static Target of(String uri) {
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
  public Target below() {
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
