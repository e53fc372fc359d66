package io.tinyfaas.gateway.ingress.mqtt;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.handler.codec.mqtt.MqttDecoder;
import io.netty.handler.codec.mqtt.MqttEncoder;
import io.tinyfaas.gateway.device.CurrentDevices;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.loop.FairReads;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.tinyfaas.gateway.mqtt.DeviceBroker;
import io.vertx.core.buffer.impl.VertxByteBufAllocator;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.Optional;

/** Listens for devices, and makes of each connection what it takes. */
@Singleton
final class MqttListener {

  /** Of a connection in a turn of the loop. */
  private static final int READ_BYTES = 4 * 1_024;

  /** What a device that takes nothing has the gateway hold. */
  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(8 * 1_024, 16 * 1_024);

  private final InvocationLoop loop;
  private final MqttSettings settings;
  private final DeviceConnections connections;
  private final BodyMemory memory;
  private final PeerHolders peers;
  private final DeviceLogin.Shared shared;

  MqttListener(
      InvocationLoop loop,
      MqttSettings settings,
      HeapSettings heap,
      CurrentDevices devices,
      DeviceConnections connections,
      DeviceBroker broker,
      PublicationReceiver receiver,
      MqttMetrics metrics,
      BodyMemory memory,
      PeerHolders peers) {
    this.loop = loop;
    this.settings = settings;
    this.connections = connections;
    this.memory = memory;
    this.peers = peers;
    this.shared =
        new DeviceLogin.Shared(
            settings,
            devices,
            connections,
            broker,
            receiver,
            metrics,
            Math.toIntExact(heap.maxBody().asLongValue()));
  }

  /**
   * @param tls empty for none
   * @throws UncheckedIOException if the port cannot be bound
   */
  Channel listen(Protocol protocol, int port, String setting, Optional<DeviceTls> tls) {
    loop.context().nettyEventLoop().execute(connections::start);
    var bound =
        new ServerBootstrap()
            .group(loop.context().nettyEventLoop())
            .channel(EpollServerSocketChannel.class)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.ALLOCATOR, VertxByteBufAllocator.POOLED_ALLOCATOR)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
            .handler(new Bound())
            .childHandler(new Pipeline(protocol, tls))
            .bind(new InetSocketAddress(settings.host(), port))
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new UncheckedIOException(
          "cannot listen for MQTT on TCP "
              + settings.host()
              + ':'
              + port
              + " ("
              + bound.cause().getMessage()
              + "): stop what listens there, set TINYFAAS_MQTT_HOST to an address of this box, or"
              + " choose another "
              + setting,
          new IOException(bound.cause()));
    }
    return bound.channel();
  }

  /** What there is no place for is closed before anything is made for it. */
  @ChannelHandler.Sharable
  private final class Bound extends ChannelInboundHandlerAdapter {

    @Override
    public void channelRead(ChannelHandlerContext context, Object accepted) {
      Channel connection = (Channel) accepted;
      // Null if it is closed already.
      if (connection.remoteAddress() instanceof InetSocketAddress remote
          && connections.arrived(connection, remote.getAddress())) {
        FairReads.of(connection, READ_BYTES);
        context.fireChannelRead(connection);
      } else {
        connection.unsafe().closeForcibly();
      }
    }
  }

  @ChannelHandler.Sharable
  private final class Pipeline extends ChannelInitializer<Channel> {

    private final Protocol protocol;
    private final Optional<DeviceTls> tls;

    Pipeline(Protocol protocol, Optional<DeviceTls> tls) {
      this.protocol = protocol;
      this.tls = tls;
    }

    @Override
    protected void initChannel(Channel connection) {
      InetSocketAddress remote = (InetSocketAddress) connection.remoteAddress();
      if (remote == null) {
        connection.close();
        return;
      }
      PacketSizes sizes = new PacketSizes(shared.maxBody());
      PacketFrames frames = new PacketFrames(sizes, memory, peers.of(remote.getAddress()));
      tls.ifPresent(
          with ->
              connection.pipeline().addLast(with.handler(connection, settings.connectTimeout())));
      connection
          .pipeline()
          .addLast(
              frames,
              new MqttDecoder(PacketSizes.maxPacket(shared.maxBody()), Integer.MAX_VALUE),
              MqttEncoder.INSTANCE,
              new DeviceLogin(
                  shared,
                  protocol,
                  frames,
                  sizes,
                  channel -> tls.flatMap(with -> with.identity(channel))));
    }
  }
}
