package io.tinyfaas.gateway;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/**
 * The packaged gateway with a broker and one function, {@code f}, for tests that send datagrams as
 * devices do. The function echoes, unless its path says otherwise: {@code /size/N} bytes, {@code
 * /slow/MILLIS}, {@code /status/N}, {@code /headers}.
 */
final class CoapDevices implements AutoCloseable {

  private static final long FUNCTION_TIMEOUT_MILLIS = 5_000;

  private final ServedGateway system;
  private final GatewayProcess gateway;

  CoapDevices(Path folder, Map<String, String> environment) throws IOException {
    system = new ServedGateway(folder, environment, this::function);
    gateway = system.process();
    system.serve(PlayedManager.route("f", FUNCTION_TIMEOUT_MILLIS, system.handler()));
  }

  private void function(HttpServerRequest request, Buffer body) {
    try {
      run(request, body);
    } catch (RuntimeException e) {
      request.response().setStatusCode(400).end();
    }
  }

  private void run(HttpServerRequest request, Buffer body) {
    String[] path = Optional.ofNullable(request.getHeader("X-tinyFaaS-Path")).orElse("").split("/");
    switch (path.length > 1 ? path[1] : "echo") {
      case "slow" ->
          system.vertx().setTimer(Long.parseLong(path[2]), late -> request.response().end("late"));
      case "size" ->
          request
              .response()
              .end(Buffer.buffer(random(Math.min(Integer.parseInt(path[2]), 2 << 20))));
      case "status" -> request.response().setStatusCode(Integer.parseInt(path[2])).end("as asked");
      case "headers" -> {
        Map<String, String> headers = new TreeMap<>();
        request.headers().forEach(h -> headers.put(h.getKey().toLowerCase(), h.getValue()));
        request.response().end(headers.toString());
      }
      default -> {
        Optional.ofNullable(request.getHeader("Content-Type"))
            .ifPresent(type -> request.response().putHeader("Content-Type", type));
        request.response().end(body);
      }
    }
  }

  /** The same for the same size. */
  static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  GatewayProcess gateway() {
    return gateway;
  }

  CoapPeer device() throws IOException {
    return new CoapPeer(gateway.coapPort());
  }

  CoapPeer device(String own) throws IOException {
    return new CoapPeer(own, gateway.coapPort());
  }

  String uri(String path) {
    return "coap://127.0.0.1:" + gateway.coapPort() + "/" + path;
  }

  /** How often the function has been run. */
  int runs() {
    return system.runs();
  }

  @Override
  public void close() {
    system.close();
  }
}
