package io.tinyfaas.gateway;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/**
 * A function that does what its path says: {@code /size/N} answers so many bytes, {@code /repeat/N}
 * so many of the first that it got, {@code /status/N} answers that status, {@code /headers} tells
 * what it got, {@code /chunked} answers in two chunks, {@code /vanish} closes the connection, and
 * any other echoes. What it cannot read it answers with 400.
 */
final class PlayedFunction {

  private static final int MAX_BYTES = 2 << 20;

  private PlayedFunction() {}

  static void answer(HttpServerRequest request, Buffer body) {
    try {
      run(request, body);
    } catch (RuntimeException e) {
      request.response().setStatusCode(400).end();
    }
  }

  private static void run(HttpServerRequest request, Buffer body) {
    String[] path = Optional.ofNullable(request.getHeader("X-tinyFaaS-Path")).orElse("").split("/");
    switch (path.length > 1 ? path[1] : "echo") {
      case "size" -> {
        int size = Math.min(Integer.parseInt(path[2]), MAX_BYTES);
        request.response().end(Buffer.buffer(random(size)));
      }
      case "repeat" -> {
        byte[] bytes = new byte[Math.min(Integer.parseInt(path[2]), MAX_BYTES)];
        Arrays.fill(bytes, body.getByte(0));
        request.response().end(Buffer.buffer(bytes));
      }
      case "status" -> request.response().setStatusCode(Integer.parseInt(path[2])).end("as asked");
      case "headers" -> {
        Map<String, String> headers = new TreeMap<>();
        request.headers().forEach(h -> headers.put(h.getKey().toLowerCase(), h.getValue()));
        request.response().end(headers.toString());
      }
      case "chunked" -> {
        request.response().setChunked(true).write("one,");
        request.response().end("two");
      }
      case "vanish" -> request.connection().close();
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
}
