package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.handler.codec.mqtt.MqttDecoder;
import io.netty.handler.codec.mqtt.MqttEncoder;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.tinyfaas.gateway.ingress.mqtt.ExternalSettings.Address;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.vertx.core.Future;
import io.vertx.core.impl.ContextInternal;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLParameters;

/** Makes connections to the external broker; what blocks, such as names and files, elsewhere. */
@Singleton
final class ExternalConnector {

  private static final int CONNECT_MILLIS = (int) TimeUnit.SECONDS.toMillis(10);

  /** Of a packet besides its message: topic and properties. */
  private static final int HEAD_BYTES = 64 * 1_024;

  private final ContextInternal context;
  private final ExternalSettings settings;
  private final int maxPacket;

  ExternalConnector(InvocationLoop loop, ExternalSettings settings, HeapSettings heap) {
    this.context = loop.context();
    this.settings = settings;
    this.maxPacket = Math.toIntExact(heap.maxBody().asLongValue()) + HEAD_BYTES;
  }

  /** What is looked up anew for each connection. */
  record Prepared(InetAddress address, String password, Optional<SslContext> tls) {}

  /** The largest packet that the broker may send, in bytes. */
  int maxPacket() {
    return maxPacket;
  }

  Future<Prepared> prepare(Address broker) {
    return context.executeBlocking(
        () -> {
          try {
            return new Prepared(
                InetAddress.getByName(broker.host()),
                password(),
                broker.tls() ? Optional.of(tls()) : Optional.empty());
          } catch (UnknownHostException e) {
            throw new IOException("its name " + broker.host() + " is not known", e);
          }
        });
  }

  private String password() throws IOException {
    if (settings.brokerPasswordFile().isEmpty()) {
      return settings.brokerPassword().orElse("");
    }
    try {
      return Files.readString(settings.brokerPasswordFile().get()).strip();
    } catch (IOException e) {
      throw new IOException("the file of its password cannot be read: " + e.getMessage(), e);
    }
  }

  private SslContext tls() throws IOException {
    SslContextBuilder builder = SslContextBuilder.forClient().sslProvider(SslProvider.JDK);
    try {
      settings.brokerCa().ifPresent(file -> builder.trustManager(file.toFile()));
    } catch (IllegalArgumentException e) {
      throw new IOException("TINYFAAS_MQTT_BROKER_CA is no file of certificates in PEM", e);
    }
    return builder.build();
  }

  /**
   * @param failed is told why, if it does not get as far as to begin the session; that hears itself
   *     of all that follows
   */
  void connect(
      Address broker, Prepared prepared, ExternalSession session, Consumer<String> failed) {
    new Bootstrap()
        .group(context.nettyEventLoop())
        .channel(EpollSocketChannel.class)
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
        .option(ChannelOption.TCP_NODELAY, true)
        .option(ChannelOption.SO_KEEPALIVE, true)
        .handler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel channel) {
                prepared
                    .tls()
                    .ifPresent(tls -> channel.pipeline().addLast(tls(tls, channel, broker)));
              }
            })
        .connect(new InetSocketAddress(prepared.address(), broker.port()))
        .addListener(
            (ChannelFuture opened) -> {
              if (opened.isSuccess()) {
                begin(opened.channel(), session, failed);
              } else {
                context.dispatch(() -> failed.accept(opened.cause().getMessage()));
              }
            });
  }

  private static SslHandler tls(SslContext tls, Channel channel, Address broker) {
    SslHandler handler = tls.newHandler(channel.alloc(), broker.host(), broker.port());
    SSLParameters parameters = handler.engine().getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm(
        "HTTPS"); // whether the certificate is of the host
    handler.engine().setSSLParameters(parameters);
    return handler;
  }

  private void begin(Channel channel, ExternalSession session, Consumer<String> failed) {
    SslHandler tls = channel.pipeline().get(SslHandler.class);
    if (tls == null) {
      hand(channel, session);
      return;
    }
    tls.handshakeFuture()
        .addListener(
            shaken -> {
              if (shaken.isSuccess()) {
                hand(channel, session);
              } else {
                channel.close();
                context.dispatch(() -> failed.accept("TLS: " + shaken.cause().getMessage()));
              }
            });
  }

  private void hand(Channel channel, ExternalSession session) {
    channel
        .pipeline()
        .addLast(new MqttDecoder(maxPacket))
        .addLast(MqttEncoder.INSTANCE)
        .addLast(session);
    context.dispatch(() -> session.begin(channel));
  }
}
