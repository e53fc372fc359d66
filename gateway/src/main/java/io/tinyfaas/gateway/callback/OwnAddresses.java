package io.tinyfaas.gateway.callback;

import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The addresses of the network that the gateway is in, which with {@code unix} are the box's. They
 * change seldom, and to list them takes long where there are many functions with networks: that is
 * done now and then. Any thread.
 */
final class OwnAddresses implements Supplier<Set<String>> {

  private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(10);

  private Set<String> known = Set.of();
  private long until = System.nanoTime();

  @Override
  public synchronized Set<String> get() {
    long now = System.nanoTime();
    if (known.isEmpty() || now - until > 0) {
      known = list();
      until = now + FRESH_NANOS;
    }
    return known;
  }

  private static Set<String> list() {
    try {
      return NetworkInterface.networkInterfaces()
          .flatMap(NetworkInterface::inetAddresses)
          .map(InetAddress::getHostAddress)
          .collect(Collectors.toUnmodifiableSet());
    } catch (SocketException e) {
      throw new IllegalStateException("the box's own addresses cannot be read", e);
    }
  }
}
