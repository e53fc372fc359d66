package io.tinyfaas.manager.api;

import io.tinyfaas.contract.route.FunctionName;
import jakarta.inject.Singleton;
import jakarta.ws.rs.core.HttpHeaders;
import java.util.Collections;
import java.util.LinkedHashMap;
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

  /** The one that a CoAP URI need not name (RFC 7252, 6.1). */
  private static final int COAP_PORT = 5683;

  private static final Pattern HOST =
      Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9._-]+)(?::\\d*)?");

  private final int coapPort;
  private final int httpPort;
  private final int grpcPort;
  private final HttpHeaders headers;

  /**
   * @param coapPort -1 where the gateway does not speak it, as with the others
   * @param headers of the request at hand
   */
  InvocationUrls(
      @ConfigProperty(name = "tinyfaas.coap-port") int coapPort,
      @ConfigProperty(name = "tinyfaas.http-port") int httpPort,
      @ConfigProperty(name = "tinyfaas.grpc-port") int grpcPort,
      HttpHeaders headers) {
    this.coapPort = coapPort;
    this.httpPort = httpPort;
    this.grpcPort = grpcPort;
    this.headers = headers;
  }

  /** By protocol. */
  Map<String, String> of(FunctionName function) {
    Matcher asked =
        HOST.matcher(Optional.ofNullable(headers.getHeaderString(HttpHeaders.HOST)).orElse(""));
    String host = asked.matches() ? asked.group(1) : "localhost";
    Map<String, String> urls = new LinkedHashMap<>();
    put(urls, "coap", host, coapPort, function);
    put(urls, "http", host, httpPort, function);
    if (grpcPort >= 0) {
      urls.put("grpc", "dns:///" + host + ':' + grpcPort); // the message names the function
    }
    return Collections.unmodifiableMap(urls);
  }

  private static void put(
      Map<String, String> urls, String protocol, String host, int port, FunctionName function) {
    if (port >= 0) {
      boolean usual = protocol.equals("coap") && port == COAP_PORT;
      urls.put(protocol, protocol + "://" + host + (usual ? "" : ":" + port) + '/' + function);
    }
  }
}
