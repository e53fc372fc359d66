package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.patient;

import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;

/** A handler as its contract has it, on a Unix socket or on TCP; what it answers is the test's. */
final class TestHandler implements AutoCloseable {

  private final AtomicInteger runs = new AtomicInteger();
  private final AtomicInteger connections = new AtomicInteger();
  private final HttpServer server;
  private final Handler handler;

  /** On a Unix socket below the folder. */
  TestHandler(Vertx vertx, Path sockets, BiConsumer<HttpServerRequest, Buffer> function) {
    server = server(vertx, function);
    String id = UUID.randomUUID().toString().substring(0, 8);
    String path = "f/" + id + ".sock";
    sockets.resolve("f").toFile().mkdirs();
    listen(SocketAddress.domainSocketAddress(sockets.resolve(path).toString()));
    handler = new Handler(id, new HandlerEndpoint.Unix(path));
  }

  /** In the place of an earlier one, which was on a Unix socket. */
  TestHandler(
      Vertx vertx, Path sockets, Handler earlier, BiConsumer<HttpServerRequest, Buffer> function) {
    server = server(vertx, function);
    String path = ((HandlerEndpoint.Unix) earlier.endpoint()).path();
    listen(SocketAddress.domainSocketAddress(sockets.resolve(path).toString()));
    handler = earlier;
  }

  /** On a TCP port. */
  TestHandler(Vertx vertx, BiConsumer<HttpServerRequest, Buffer> function) {
    server = server(vertx, function);
    listen(SocketAddress.inetSocketAddress(0, "127.0.0.1"));
    handler =
        new Handler(
            UUID.randomUUID().toString(),
            new HandlerEndpoint.Tcp("127.0.0.1", server.actualPort()));
  }

  private HttpServer server(Vertx vertx, BiConsumer<HttpServerRequest, Buffer> function) {
    return vertx
        .createHttpServer()
        .connectionHandler(
            connection -> {
              connections.incrementAndGet();
              connection.closeHandler(closed -> connections.decrementAndGet());
            })
        .requestHandler(
            request -> {
              if (!request.path().equals("/fn")) {
                request.response().setStatusCode(404).end();
                return;
              }
              runs.incrementAndGet();
              request.body().onSuccess(body -> function.accept(request, body));
            });
  }

  private void listen(SocketAddress address) {
    server
        .listen(address)
        .toCompletionStage()
        .toCompletableFuture()
        .orTimeout(patient(Duration.ofSeconds(10)).toMillis(), TimeUnit.MILLISECONDS)
        .join();
  }

  Handler handler() {
    return handler;
  }

  /** How often the function has been run. */
  int runs() {
    return runs.get();
  }

  /** The connections that are open. */
  int connections() {
    return connections.get();
  }

  @Override
  public void close() {
    server.close().toCompletionStage().toCompletableFuture().join();
  }
}
