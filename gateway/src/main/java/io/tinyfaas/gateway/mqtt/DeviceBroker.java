package io.tinyfaas.gateway.mqtt;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.vertx.core.buffer.impl.VertxByteBufAllocator;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The devices' broker, a Mosquitto that only the gateway reaches, by a Unix socket: who has that is
 * trusted.
 */
@Singleton
public final class DeviceBroker {

  /** Of one connection in a turn of the loop, as of those to handlers. */
  private static final int READ_BYTES = 16 * 1_024;

  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(32 * 1_024, 64 * 1_024);

  private final EventLoop loop;
  private final Optional<Path> socket;

  DeviceBroker(InvocationLoop loop, DeviceBrokerSettings settings, MqttPorts ports) {
    this.loop = loop.context().nettyEventLoop();
    this.socket = settings.socket().filter(path -> ports.areOpen());
  }

  /** Whether there is one: its socket is known, and devices can connect. */
  public boolean isEnabled() {
    return socket.isPresent();
  }

  /** A connection to it, on the invocation loop; to be called there. */
  public ChannelFuture connect(ChannelHandler handler) {
    return new Bootstrap()
        .group(loop)
        .channel(EpollDomainSocketChannel.class)
        .option(ChannelOption.ALLOCATOR, VertxByteBufAllocator.POOLED_ALLOCATOR)
        .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
        .option(
            ChannelOption.RCVBUF_ALLOCATOR,
            new FixedRecvByteBufAllocator(READ_BYTES).maxMessagesPerRead(1))
        .handler(handler)
        .connect(new DomainSocketAddress(socket.orElseThrow().toFile()));
  }
}
