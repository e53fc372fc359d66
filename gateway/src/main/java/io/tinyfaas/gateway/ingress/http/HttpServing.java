package io.tinyfaas.gateway.ingress.http;

import io.netty.channel.EventLoopGroup;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.gateway.metrics.InvocationMetrics;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.impl.HttpServerImpl;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.impl.VertxWrapper;
import io.vertx.core.net.SocketAddress;
import jakarta.inject.Singleton;
import java.util.function.Function;

/** HTTP/1.1, by Vert.x on the {@link InvocationLoop}, with bounds of our own. */
@Singleton
public final class HttpServing {

  /**
   * With the first line and what the gateway adds, fewer than a handler takes ({@link
   * io.tinyfaas.contract.handler.HandlerHttp#MAX_HEAD_BYTES}), unless most has to be escaped: then
   * the request is refused before it is sent.
   */
  private static final int MAX_HEADER_BYTES = 8 * 1024;

  static final int MAX_LINE_BYTES = 4 * 1024;

  private static final long SWEEP_MILLIS = 1_000;

  private final Vertx vertx;
  private final InvocationLoop loop;
  private final HeapSettings heap;
  private final HttpSettings settings;
  private final Invocations invocations;
  private final EventStreams streams;
  private final HttpMemory memory;
  private final InvocationMetrics metrics;

  HttpServing(
      Vertx vertx,
      InvocationLoop loop,
      HeapSettings heap,
      HttpSettings settings,
      Invocations invocations,
      EventStreams streams,
      HttpMemory memory,
      InvocationMetrics metrics) {
    this.vertx = vertx;
    this.loop = loop;
    this.heap = heap;
    this.settings = settings;
    this.invocations = invocations;
    this.streams = streams;
    this.memory = memory;
    this.metrics = metrics;
  }

  /**
   * The connections of one ingress, and their requests.
   *
   * @param maxConnections how many there may be, and of one peer three quarters of them
   * @param maxOfPeer the same of one peer, where that is less
   */
  public HttpExchanges exchanges(int maxConnections, int maxOfPeer) {
    return new HttpExchanges(
        Math.toIntExact(heap.maxBody().asLongValue()),
        settings,
        invocations,
        streams,
        memory,
        metrics,
        new HttpConnections(maxConnections, maxOfPeer));
  }

  /** What is late there is ended from now on. On the loop. */
  public void sweep(HttpExchanges exchanges, Runnable besides) {
    vertx.setPeriodic(
        SWEEP_MILLIS,
        tick -> {
          exchanges.sweep();
          besides.run();
        });
  }

  /**
   * Listens. On the loop.
   *
   * @param peers whose connections are
   */
  public Future<HttpServer> listen(
      SocketAddress address, HttpExchanges exchanges, Function<HttpConnection, HttpPeer> peers) {
    HttpServerOptions options =
        new HttpServerOptions()
            .setMaxHeaderSize(MAX_HEADER_BYTES)
            .setMaxInitialLineLength(MAX_LINE_BYTES)
            .setHttp2ClearTextEnabled(false);
    return new HttpServerImpl(new OneLoop(vertx, loop), options)
        .connectionHandler(
            connection -> exchanges.connected(connection, options, peers.apply(connection)))
        .invalidRequestHandler(exchanges::invalid)
        .requestHandler(exchanges::requested)
        .listen(address);
  }

  /**
   * Connections are accepted on the loop that serves them, some in a turn; others wait with the
   * kernel. Vert.x has a thread for it, which makes objects of as many as clients open and close,
   * and what they need of the loop would wait there before all else.
   */
  private static final class OneLoop extends VertxWrapper {

    private final EventLoopGroup acceptor;

    OneLoop(Vertx vertx, InvocationLoop loop) {
      super((VertxInternal) vertx);
      this.acceptor = loop.context().nettyEventLoop();
    }

    @Override
    public EventLoopGroup getAcceptorEventLoopGroup() {
      return acceptor;
    }
  }
}
