package io.tinyfaas.manager.api.connection;

import io.netty.channel.Channel;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.timeout.IdleStateHandler;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.vertx.http.HttpServerOptionsCustomizer;
import io.tinyfaas.contract.setting.SettingsCheck;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.impl.ConnectionBase;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Quarkus' time for a connection on which nothing passes, while no request is at hand only: an
 * answer may be long in coming, and a log that is followed silent. For the first request there is
 * less. As Vert.x' handler for it stands behind the one that decodes, a head that is not complete
 * is nothing.
 */
@Singleton
public class IdleConnections implements HttpServerOptionsCustomizer {

  /** As Vert.x names them. */
  private static final String HANDLER = "idle";

  static final String CONNECTION = "handler";

  private final AcceptedConnections accepted;
  private final long firstMillis;
  private final long millis;

  IdleConnections(
      AcceptedConnections accepted,
      @ConfigProperty(name = "tinyfaas.http-header-timeout") Duration headerTimeout,
      @ConfigProperty(name = "quarkus.http.idle-timeout") Duration timeout) {
    new SettingsCheck()
        .time(
            "TINYFAAS_HTTP_HEADER_TIMEOUT",
            headerTimeout,
            Duration.ofSeconds(1),
            Duration.ofHours(1))
        .orThrow(ConfigurationException::new);
    this.accepted = accepted;
    this.firstMillis = headerTimeout.toMillis();
    this.millis = timeout.toMillis();
  }

  /**
   * No HTTP/2: while Vert.x waits for its first words, the time begins anew with each byte, and the
   * connection is not counted.
   */
  @Override
  public void customizeHttpServer(HttpServerOptions options) {
    options.setHttp2ClearTextEnabled(false);
    options.setIdleTimeout((int) firstMillis).setIdleTimeoutUnit(TimeUnit.MILLISECONDS);
  }

  public void requested(HttpConnection connection) {
    Channel channel = channel(connection);
    accepted.requested(channel);
    ChannelPipeline pipeline = channel.pipeline();
    if (pipeline.get(HANDLER) != null) {
      pipeline.remove(HANDLER);
    }
  }

  public void answered(HttpConnection connection) {
    Channel channel = channel(connection);
    accepted.answered(channel);
    if (channel.isActive() && channel.pipeline().get(HANDLER) == null) {
      channel
          .pipeline()
          .addBefore(
              CONNECTION, HANDLER, new IdleStateHandler(0, 0, millis, TimeUnit.MILLISECONDS));
    }
  }

  public static Channel channel(HttpConnection connection) {
    return ((ConnectionBase) connection).channel();
  }
}
