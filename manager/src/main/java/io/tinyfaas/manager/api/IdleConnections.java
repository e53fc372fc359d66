package io.tinyfaas.manager.api;

import io.netty.channel.Channel;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.timeout.IdleStateHandler;
import io.quarkus.vertx.http.HttpServerOptionsCustomizer;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.impl.ConnectionBase;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Quarkus' time for a connection on which nothing passes, while no request is at hand only: an
 * answer may be long in coming, and a log that is followed silent. As Vert.x' handler for it stands
 * behind the one that decodes, a head that is not complete is nothing.
 */
@Singleton
class IdleConnections implements HttpServerOptionsCustomizer {

  /** As Vert.x names them. */
  private static final String HANDLER = "idle";

  private static final String CONNECTION = "handler";

  private final long millis;

  IdleConnections(@ConfigProperty(name = "quarkus.http.idle-timeout") Duration timeout) {
    this.millis = timeout.toMillis();
  }

  /**
   * No HTTP/2: while Vert.x waits for its first words, the time begins anew with each byte, and the
   * connection is not counted.
   */
  @Override
  public void customizeHttpServer(HttpServerOptions options) {
    options.setHttp2ClearTextEnabled(false);
  }

  void requested(HttpConnection connection) {
    ChannelPipeline pipeline = channel(connection).pipeline();
    if (pipeline.get(HANDLER) != null) {
      pipeline.remove(HANDLER);
    }
  }

  void answered(HttpConnection connection) {
    Channel channel = channel(connection);
    if (channel.isActive() && channel.pipeline().get(HANDLER) == null) {
      channel
          .pipeline()
          .addBefore(
              CONNECTION, HANDLER, new IdleStateHandler(0, 0, millis, TimeUnit.MILLISECONDS));
    }
  }

  static Channel channel(HttpConnection connection) {
    return ((ConnectionBase) connection).channel();
  }
}
