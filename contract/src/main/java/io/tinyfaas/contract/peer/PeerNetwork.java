package io.tinyfaas.contract.peer;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/**
 * Whom an address counts for, wherever addresses have shares. By IPv4 that is itself. By IPv6 it is
 * its network of 64 bits, in which one machine may have as many addresses as it likes (RFC 4291,
 * 2.5.4): also where that is one link (fe80::/64), as its machines can do the same there.
 */
public final class PeerNetwork {

  private static final int NETWORK_BYTES = 8;

  /** Of an IPv4 address that is written as one of IPv6 (RFC 4291, 2.5.5.2). */
  private static final byte[] MAPPED = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte) 0xff, (byte) 0xff};

  private PeerNetwork() {}

  /**
   * @return the address, or the first of its network; the same for all of that
   */
  public static InetAddress of(InetAddress address) {
    if (!(address instanceof Inet6Address)) {
      return address;
    }
    byte[] bytes = address.getAddress();
    if (Arrays.equals(bytes, 0, MAPPED.length, MAPPED, 0, MAPPED.length)) {
      return address(Arrays.copyOfRange(bytes, MAPPED.length, bytes.length));
    }
    Arrays.fill(bytes, NETWORK_BYTES, bytes.length, (byte) 0);
    return address(bytes);
  }

  private static InetAddress address(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("each has 4 or 16 bytes", e);
    }
  }
}
