package io.tinyfaas.gateway.ingress.http;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** Fields that are of one connection and not passed on (RFC 9110, 7.6.1), and those of framing. */
final class HopByHop {

  /** Beside those of the contract: between a client and a proxy only. */
  private static final Set<String> OF_PROXIES =
      Set.of(
          "http2-settings",
          "proxy-authenticate",
          "proxy-authentication-info",
          "proxy-authorization");

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
    return HandlerHttp.CONNECTION_FIELDS.contains(name)
        || OF_PROXIES.contains(name)
        || named.contains(name);
  }
}
