package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.patient;

import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;
import io.vertx.core.net.SocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A handler that answers each request, once its head has begun, with bytes as the test has them.
 */
final class RawHandler implements AutoCloseable {

  private static final String REQUEST = "POST /fn HTTP/1.1\r\n";

  private final NetServer server;
  private final Handler handler;

  /** On a Unix socket below the folder. */
  RawHandler(Vertx vertx, Path sockets, Consumer<NetSocket> answer) {
    server = vertx.createNetServer();
    server.connectHandler(socket -> socket.handler(bytes -> answer(bytes, socket, answer)));
    String id = UUID.randomUUID().toString().substring(0, 8);
    String path = "f/" + id + ".sock";
    sockets.resolve("f").toFile().mkdirs();
    server
        .listen(SocketAddress.domainSocketAddress(sockets.resolve(path).toString()))
        .toCompletionStage()
        .toCompletableFuture()
        .orTimeout(patient(Duration.ofSeconds(10)).toMillis(), TimeUnit.MILLISECONDS)
        .join();
    handler = new Handler(id, new HandlerEndpoint.Unix(path));
  }

  private static void answer(Buffer bytes, NetSocket socket, Consumer<NetSocket> answer) {
    String text = bytes.toString();
    for (int at = text.indexOf(REQUEST); at >= 0; at = text.indexOf(REQUEST, at + 1)) {
      answer.accept(socket);
    }
  }

  /** As routes have it. */
  Handler handler() {
    return handler;
  }

  @Override
  public void close() {
    server.close().toCompletionStage().toCompletableFuture().join();
  }
}
