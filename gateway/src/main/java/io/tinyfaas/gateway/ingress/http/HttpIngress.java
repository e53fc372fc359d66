package io.tinyfaas.gateway.ingress.http;

import io.micrometer.core.instrument.MeterRegistry;
import io.tinyfaas.gateway.ingress.Ingress;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpServer;
import io.vertx.core.net.SocketAddress;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/** HTTP/1.1 over TCP. */
@Singleton
final class HttpIngress implements Ingress {

  private static final Logger LOG = Logger.getLogger(HttpIngress.class);

  private static final long START_SECONDS = 10;

  private final InvocationLoop loop;
  private final HttpSettings settings;
  private final HttpServing serving;
  private final PeerHolders peers;
  private final HttpExchanges exchanges;
  private final EventStreams streams;
  private volatile HttpServer server;

  HttpIngress(
      InvocationLoop loop,
      HttpSettings settings,
      HeapSettings heap,
      HttpServing serving,
      PeerHolders peers,
      EventStreams streams,
      MeterRegistry registry) {
    this.loop = loop;
    this.settings = settings;
    this.serving = serving;
    this.peers = peers;
    this.streams = streams;
    int max = heap.http().maxConnections();
    this.exchanges = serving.exchanges(max, max);
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
    serving.sweep(exchanges, streams::tick);
    return serving.listen(
        SocketAddress.inetSocketAddress(settings.port(), settings.host()),
        exchanges,
        connection -> new AddressPeer(peers, connection.remoteAddress()));
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
    streams.stop();
  }

  @Override
  public int waiting() {
    return exchanges.waiting() + streams.leaving();
  }

  @Override
  public void stop() {
    if (server != null) {
      server.close();
    }
  }
}
