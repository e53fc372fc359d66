package io.tinyfaas.gateway.ingress.http;

import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** Fields that are of one connection and not passed on (RFC 9110, 7.6.1), and those of framing. */
final class HopByHop {

  private static final Set<String> FIELDS =
      Set.of(
          "connection",
          "content-length",
          "expect",
          "http2-settings",
          "keep-alive",
          "proxy-authenticate",
          "proxy-authentication-info",
          "proxy-authorization",
          "proxy-connection",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade");

  private final Set<String> named;

  /** Of a message with these headers: also what its Connection field names. */
  HopByHop(MultiMap headers) {
    named =
        headers.contains(HttpHeaders.CONNECTION)
            ? headers.getAll(HttpHeaders.CONNECTION).stream()
                .flatMap(value -> Arrays.stream(value.split(",")))
                .map(name -> name.strip().toLowerCase(Locale.ROOT))
                .collect(Collectors.toUnmodifiableSet())
            : Set.of();
  }

  /**
   * @param name in lower case
   */
  boolean contains(String name) {
    return FIELDS.contains(name) || named.contains(name);
  }
}
