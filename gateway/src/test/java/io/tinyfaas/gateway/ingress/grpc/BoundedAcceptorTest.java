package io.tinyfaas.gateway.ingress.grpc;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.PeerHolders;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BoundedAcceptorTest {

  /** Less than the kernel takes for who does not read yet. */
  private static final int MUCH = 100_000;

  private final EpollEventLoopGroup loop = new EpollEventLoopGroup(1);
  private final List<Channel> accepted = new CopyOnWriteArrayList<>();
  private final List<Integer> reads = new CopyOnWriteArrayList<>();
  private int port;

  @BeforeEach
  void listen() {
    BodyMemory memory = new BodyMemory(1 << 20);
    BoundedAcceptor.Bounds bounds = new BoundedAcceptor.Bounds(2, 1, Duration.ofSeconds(1));
    Channel server =
        new ServerBootstrap()
            .group(loop)
            .channelFactory(
                new BoundedAcceptor(
                    bounds, new CallMemory.Factory(memory), memory, new PeerHolders()))
            .childOption(ChannelOption.AUTO_READ, false)
            .childHandler(new Reader())
            .bind(InetAddress.getLoopbackAddress(), 0)
            .syncUninterruptibly()
            .channel();
    port = ((InetSocketAddress) server.localAddress()).getPort();
  }

  @AfterEach
  void stop() {
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @ChannelHandler.Sharable
  private final class Reader extends SimpleChannelInboundHandler<ByteBuf> {

    @Override
    public void channelActive(ChannelHandlerContext context) {
      accepted.add(context.channel());
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, ByteBuf read) {
      reads.add(read.readableBytes());
    }
  }

  private Socket connect(int number) throws IOException {
    Socket client = new Socket(InetAddress.getLoopbackAddress(), port);
    eventually().until(() -> accepted.size() == number);
    return client;
  }

  /** As any other part of the loop's work: what has come of one is there, and is not all read. */
  @Test
  void shouldReadOfEachInItsTurn() throws IOException {
    try (Socket busy = connect(1);
        Socket other = connect(2)) {
      busy.getOutputStream().write(new byte[MUCH]);
      other.getOutputStream().write(new byte[1]);

      loop.execute(() -> accepted.forEach(connection -> connection.config().setAutoRead(true)));

      eventually().until(() -> sum() == MUCH + 1);
      assertThat(reads.getLast()).as(reads.toString()).isNotEqualTo(1);
    }
  }

  private int sum() {
    return reads.stream().mapToInt(Integer::intValue).sum();
  }
}
