package io.tinyfaas.gateway.ingress.http;

import io.micrometer.core.instrument.MeterRegistry;
import io.netty.channel.EventLoopGroup;
import io.tinyfaas.gateway.ingress.Ingress;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.impl.HttpServerImpl;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.impl.VertxWrapper;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/** HTTP/1.1 over TCP, by Vert.x on the {@link InvocationLoop}. */
@Singleton
final class HttpIngress implements Ingress {

  private static final Logger LOG = Logger.getLogger(HttpIngress.class);

  /**
   * With the first line and what the gateway adds, fewer than a handler takes ({@link
   * io.tinyfaas.contract.handler.HandlerHttp#MAX_HEAD_BYTES}), unless most has to be escaped: then
   * the request is refused before it is sent.
   */
  private static final int MAX_HEADER_BYTES = 8 * 1024;

  static final int MAX_LINE_BYTES = 4 * 1024;

  private static final long SWEEP_MILLIS = 1_000;
  private static final long START_SECONDS = 10;

  private final Vertx vertx;
  private final InvocationLoop loop;
  private final HttpSettings settings;
  private final HttpExchanges exchanges;
  private volatile HttpServer server;

  HttpIngress(
      Vertx vertx,
      InvocationLoop loop,
      HttpSettings settings,
      HttpExchanges exchanges,
      MeterRegistry registry) {
    this.vertx = vertx;
    this.loop = loop;
    this.settings = settings;
    this.exchanges = exchanges;
    registry.gauge("tinyfaas.http.connections", exchanges, HttpExchanges::connections);
  }

  @Override
  public Protocol protocol() {
    return Protocol.HTTP;
  }

  @Override
  public boolean isEnabled() {
    return settings.port() != OFF;
  }

  @Override
  public void start() {
    Promise<HttpServer> started = Promise.promise();
    loop.context().runOnContext(now -> listen().onComplete(started));
    try {
      server =
          started
              .future()
              .toCompletionStage()
              .toCompletableFuture()
              .orTimeout(START_SECONDS, TimeUnit.SECONDS)
              .join();
    } catch (CompletionException e) {
      throw new UncheckedIOException(
          "cannot listen for HTTP on TCP "
              + settings.host()
              + ':'
              + settings.port()
              + " ("
              + e.getCause().getMessage()
              + "): stop what listens there, set TINYFAAS_HTTP_HOST to an address of this box, or choose"
              + " another HTTP_PORT",
          new IOException(e.getCause()));
    }
    LOG.infof("event=http-started address=%s port=%d", settings.host(), port());
  }

  private Future<HttpServer> listen() {
    HttpServerOptions options =
        new HttpServerOptions()
            .setMaxHeaderSize(MAX_HEADER_BYTES)
            .setMaxInitialLineLength(MAX_LINE_BYTES)
            .setHttp2ClearTextEnabled(false);
    vertx.setPeriodic(SWEEP_MILLIS, tick -> exchanges.sweep());
    return new HttpServerImpl(new OneLoop(vertx, loop), options)
        .connectionHandler(connection -> exchanges.connected(connection, options))
        .invalidRequestHandler(exchanges::invalid)
        .requestHandler(exchanges::requested)
        .listen(settings.port(), settings.host());
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

  @Override
  public boolean isBound() {
    return server != null;
  }

  @Override
  public int port() {
    return server.actualPort();
  }

  @Override
  public void refuseNew() {
    exchanges.refuseNew();
  }

  @Override
  public int waiting() {
    return exchanges.waiting();
  }

  @Override
  public void stop() {
    if (server != null) {
      server.close();
    }
  }
}
