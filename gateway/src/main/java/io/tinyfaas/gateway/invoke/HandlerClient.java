package io.tinyfaas.gateway.invoke;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.gateway.GatewayConfig;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.BadAnswer;
import io.tinyfaas.gateway.invoke.InvocationResult.Overloaded;
import io.vertx.core.AsyncResult;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ConnectionPoolTooBusyException;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;
import java.util.function.Consumer;

/**
 * HTTP to one handler, over the Unix socket or the TCP port it listens on, with a pool of
 * connections that are kept. Used on event loops, and calls back on the caller's.
 */
final class HandlerClient {

  private static final int CONNECT_TIMEOUT_MILLIS = 2_000;

  /** Below the 60 s for which the contract makes a handler keep idle connections. */
  private static final int KEEP_ALIVE_SECONDS = 30;

  private static final int POOL_CLEANER_MILLIS = 5_000;

  /** A body is there twice while it is copied. */
  static final int COPIES = 2;

  private static final CharSequence DEVICE = HttpHeaders.createOptimized(HandlerHttp.DEVICE_HEADER);

  /** How one attempt ended. */
  sealed interface Reply {

    /** There is a result. */
    record Final(InvocationResult result) implements Reply {}

    /** The function has certainly not run: no connection, or none that took the request. */
    record NotDelivered() implements Reply {}
  }

  private static final Reply OVERLOADED = new Reply.Final(new Overloaded());
  private static final Reply NOT_DELIVERED = new Reply.NotDelivered();

  private final HttpClient http;
  private final RequestOptions target;
  private final int maxBody;
  private final BodyMemory memory;

  HandlerClient(Vertx vertx, HandlerEndpoint endpoint, GatewayConfig config, BodyMemory memory) {
    this.memory = memory;
    SocketAddress server =
        switch (endpoint) {
          case HandlerEndpoint.Unix(String path) ->
              SocketAddress.domainSocketAddress(config.sockets().resolve(path).toString());
          case HandlerEndpoint.Tcp(String address, int port) ->
              SocketAddress.inetSocketAddress(port, address);
        };
    this.maxBody = Math.toIntExact(config.maxBody().asLongValue());
    this.target =
        new RequestOptions()
            .setServer(server)
            .setHost("localhost")
            .setPort(80)
            .setMethod(HttpMethod.POST)
            .setURI(HandlerHttp.INVOKE_PATH);
    this.http =
        vertx.createHttpClient(
            new HttpClientOptions()
                .setConnectTimeout(CONNECT_TIMEOUT_MILLIS)
                .setKeepAliveTimeout(KEEP_ALIVE_SECONDS)
                .setMaxWaitQueueSize(config.maxInFlightPerFunction()),
            new PoolOptions()
                .setHttp1MaxSize(config.maxConnectionsPerHandler())
                .setCleanerPeriod(POOL_CLEANER_MILLIS));
  }

  /**
   * @param receiver gets the reply, once, unless the attempt is cancelled first
   */
  Attempt send(Invocation invocation, Consumer<Reply> receiver) {
    Attempt attempt = new Attempt(invocation, receiver);
    http.request(target, attempt::connected);
    return attempt;
  }

  void close() {
    http.close();
  }

  /** One request to the handler. On one event loop only. */
  final class Attempt {

    private final Invocation invocation;
    private final Consumer<Reply> receiver;
    private HttpClientRequest request;
    private Buffer received;
    private long taken;
    private boolean written;
    private boolean done;

    private Attempt(Invocation invocation, Consumer<Reply> receiver) {
      this.invocation = invocation;
      this.receiver = receiver;
    }

    /**
     * No reply is wanted any more. HTTP/1.1 can say so only by closing the connection.
     *
     * @return false if there has been one
     */
    boolean cancel() {
      if (done) {
        return false;
      }
      abandon();
      return true;
    }

    private void connected(AsyncResult<HttpClientRequest> connection) {
      if (connection.failed()) {
        finish(
            connection.cause() instanceof ConnectionPoolTooBusyException
                ? OVERLOADED
                : NOT_DELIVERED);
        return;
      }
      request = connection.result();
      if (done) {
        request.reset();
        return;
      }
      request.headers().addAll(invocation.headers());
      // Here and nowhere else, so that no ingress can pass on what a sender says of itself.
      if (invocation.device().isEmpty()) {
        request.headers().remove(DEVICE);
      } else {
        request.putHeader(DEVICE, invocation.device());
      }
      request.putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(invocation.body().length));
      request.response(this::responded);
      request.end(Buffer.buffer(invocation.body()), sent -> written = sent.succeeded());
    }

    private void responded(AsyncResult<HttpClientResponse> head) {
      if (head.failed()) {
        // The connection may have been closed by the handler while it was idle here.
        finish(
            written
                ? bad("the function's handler gave no valid HTTP answer: " + reason(head.cause()))
                : NOT_DELIVERED);
        return;
      }
      if (done) {
        return;
      }
      HttpClientResponse response = head.result();
      String length = response.getHeader(HttpHeaders.CONTENT_LENGTH);
      if (length != null && exceeds(length)) {
        tooLarge();
        return;
      }
      response.handler(this::receive);
      response.exceptionHandler(
          broken -> finish(bad("the function's handler broke its answer off: " + reason(broken))));
      response.endHandler(
          end ->
              finish(
                  new Reply.Final(
                      new Answered(
                          response.statusCode(),
                          response.headers(),
                          received == null ? new byte[0] : received.getBytes()))));
    }

    private boolean exceeds(String contentLength) {
      try {
        return Long.parseLong(contentLength) > maxBody;
      } catch (NumberFormatException e) {
        return false; // Netty has refused it, or will
      }
    }

    private void receive(Buffer chunk) {
      if (done) {
        return;
      }
      int size = chunk.length() + (received == null ? 0 : received.length());
      if (size > maxBody) {
        tooLarge();
        return;
      }
      long more = COPIES * (long) chunk.length();
      if (!memory.take(more)) {
        abandon();
        receiver.accept(OVERLOADED);
        return;
      }
      taken += more;
      if (received == null) {
        received = chunk;
      } else {
        received.appendBuffer(chunk);
      }
    }

    private void tooLarge() {
      abandon();
      receiver.accept(bad("the function's answer is larger than " + maxBody + " bytes"));
    }

    private void abandon() {
      close();
      if (request != null) {
        request.reset();
      }
    }

    private void finish(Reply reply) {
      if (!done) {
        close();
        receiver.accept(reply);
      }
    }

    private void close() {
      done = true;
      received = null;
      memory.give(taken);
      taken = 0;
    }

    private static Reply bad(String why) {
      return new Reply.Final(new BadAnswer(why));
    }

    private static String reason(Throwable cause) {
      return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }
  }
}
