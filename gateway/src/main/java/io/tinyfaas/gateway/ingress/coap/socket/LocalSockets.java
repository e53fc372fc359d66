package io.tinyfaas.gateway.ingress.coap.socket;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DatagramChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A socket for each address of the box that was asked, beside the one that is bound to all of them:
 * a datagram that leaves by the latter has the address by which the kernel routes to the device,
 * which drops the answer if it asked another one. Opened when the first datagram to an address
 * arrives; from then on the kernel gives it those that follow. On the event loop.
 */
final class LocalSockets {

  /** More than a box has addresses; of 127.0.0.0/8 alone a program on it may ask any. */
  private static final int MAX = 64;

  private static final InetAddress LOOPBACK_BROADCAST = InetAddress.ofLiteral("127.255.255.255");
  private static final SocketException NOT_OURS = new SocketException("no address of this box");

  private final Bootstrap bootstrap;
  private final DatagramChannel all;
  private final Map<InetAddress, ChannelFuture> byAddress = new HashMap<>();

  /**
   * @param all is bound to all addresses
   */
  LocalSockets(Bootstrap bootstrap, DatagramChannel all) {
    this.bootstrap = bootstrap;
    this.all = all;
  }

  /**
   * Gives the socket of an address, perhaps later, or nothing if the address is none of the box's:
   * that of a broadcast or of a group.
   */
  void of(InetAddress address, Consumer<DatagramChannel> then) {
    ChannelFuture bound = byAddress.get(address);
    if (bound == null && byAddress.size() < MAX) {
      bound = isOurs(address) ? bind(address) : all.newFailedFuture(NOT_OURS);
      byAddress.put(address, bound);
    }
    if (bound != null) {
      bound.addListener(
          (ChannelFuture done) -> {
            if (done.isSuccess()) {
              then.accept((DatagramChannel) done.channel());
            }
          });
    } else if (isOurs(address)) {
      then.accept(all);
    }
  }

  /** Linux would bind a socket to the address of a broadcast, too. */
  private static boolean isOurs(InetAddress address) {
    try {
      return address.isLoopbackAddress()
          ? !address.equals(LOOPBACK_BROADCAST)
          : NetworkInterface.getByInetAddress(address) != null;
    } catch (SocketException e) {
      return false;
    }
  }

  /**
   * Two sockets share a port if both allow it, which they do for as long as this takes: else
   * another program could take a part of the port unnoticed.
   */
  private ChannelFuture bind(InetAddress address) {
    all.config().setReuseAddress(true);
    return bootstrap
        .clone()
        .option(ChannelOption.SO_REUSEADDR, true)
        .bind(new InetSocketAddress(address, all.localAddress().getPort()))
        .addListener(
            (ChannelFuture done) -> {
              all.config().setReuseAddress(false);
              if (done.isSuccess()) {
                done.channel().config().setOption(ChannelOption.SO_REUSEADDR, false);
              }
            });
  }

  void close() {
    byAddress.values().forEach(bound -> bound.channel().close());
  }
}
