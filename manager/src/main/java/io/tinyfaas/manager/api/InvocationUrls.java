package io.tinyfaas.manager.api;

import io.tinyfaas.contract.route.FunctionName;
import jakarta.inject.Singleton;
import jakarta.ws.rs.core.HttpHeaders;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Where devices reach a function: on the host by whose name the caller reached the manager, since
 * the gateway runs on the same box.
 */
@Singleton
class InvocationUrls {

  private static final int COAP_PORT = 5683;
  private static final Pattern HOST =
      Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9._-]+)(?::\\d*)?");

  private final int coapPort;
  private final HttpHeaders headers;

  /**
   * @param headers of the request at hand
   */
  InvocationUrls(@ConfigProperty(name = "tinyfaas.coap-port") int coapPort, HttpHeaders headers) {
    this.coapPort = coapPort;
    this.headers = headers;
  }

  Map<String, String> of(FunctionName function) {
    Matcher host =
        HOST.matcher(Optional.ofNullable(headers.getHeaderString(HttpHeaders.HOST)).orElse(""));
    String port = coapPort == COAP_PORT ? "" : ":" + coapPort;
    return Map.of(
        "coap", "coap://" + (host.matches() ? host.group(1) : "localhost") + port + "/" + function);
  }
}
