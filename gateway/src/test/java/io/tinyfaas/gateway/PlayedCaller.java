package io.tinyfaas.gateway;

import io.tinyfaas.contract.route.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BiConsumer;

/** A handler of a function that calls functions, with the folder that its manager makes. */
final class PlayedCaller implements AutoCloseable {

  private static final int CONNECTIONS = 64;

  private final String function;
  private final Path socket;
  private final HttpClient client;
  private final TestHandler handler;
  private volatile int lastStatus;

  /**
   * @param folder with the sockets of handlers, and {@code s} for those of the gateway
   */
  PlayedCaller(
      Vertx vertx, Path folder, String function, BiConsumer<HttpServerRequest, Buffer> code)
      throws IOException {
    this.function = function;
    this.handler = new TestHandler(vertx, folder, code);
    this.socket =
        folder.resolve("s").resolve(function).resolve(handler.handler().id()).resolve("http.sock");
    this.client = vertx.createHttpClient(new HttpClientOptions().setMaxPoolSize(CONNECTIONS));
    makeFolder();
  }

  void makeFolder() throws IOException {
    Files.createDirectories(socket.getParent());
  }

  Handler handler() {
    return handler.handler();
  }

  Path socket() {
    return socket;
  }

  /** Of the answer that came last to {@link #again}. */
  int lastStatus() {
    return lastStatus;
  }

  /**
   * Calls itself as it was called, and answers what that does. The query may say that it does not
   * wait for the answer ({@code async}), that it hands nothing on ({@code silent}), or that it
   * answers first ({@code first}).
   */
  void again(HttpServerRequest request, Buffer body) {
    call("/functions/" + function + "/again", request, body);
  }

  /** The same of another function. */
  void call(String target, HttpServerRequest request, Buffer body) {
    String query = String.valueOf(request.getHeader("X-tinyFaaS-Query"));
    RequestOptions options =
        new RequestOptions()
            .setServer(SocketAddress.domainSocketAddress(socket.toString()))
            .setMethod(HttpMethod.POST)
            .setURI(target + '?' + query)
            .putHeader("Host", "box");
    if (!query.contains("silent")) {
      options.putHeader("X-tinyFaaS-Depth", request.getHeader("X-tinyFaaS-Depth"));
      options.putHeader("X-tinyFaaS-Deadline", request.getHeader("X-tinyFaaS-Deadline"));
    }
    if (query.contains("async")) {
      options.putHeader("Prefer", "respond-async");
    }
    if (query.contains("first")) {
      request.response().end().onSuccess(sent -> send(options, request, body));
    } else {
      send(options, request, body);
    }
  }

  private void send(RequestOptions options, HttpServerRequest request, Buffer body) {
    client
        .request(options)
        .compose(asked -> asked.send(body))
        .onSuccess(
            answer -> {
              lastStatus = answer.statusCode();
              answer
                  .body()
                  .onSuccess(
                      text -> {
                        if (!request.response().ended()) {
                          request.response().setStatusCode(answer.statusCode()).end(text);
                        }
                      });
            })
        .onFailure(
            why -> request.response().setStatusCode(599).end(String.valueOf(why.getMessage())));
  }

  @Override
  public void close() {
    client.close();
    handler.close();
  }
}
