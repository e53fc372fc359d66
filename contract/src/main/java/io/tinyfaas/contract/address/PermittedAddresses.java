package io.tinyfaas.contract.address;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Which addresses the box connects to because somebody has named one: public ones that are not this
 * box' own, and what the operator allows besides. Who may name one must not look into the network
 * that the box is in, nor reach what listens on the box for itself.
 */
public final class PermittedAddresses {

  /** The setting of what is allowed besides. */
  public static final String VARIABLE = "TINYFAAS_FETCH_ALLOW";

  /**
   * Of the registries of special-purpose addresses (RFC 6890): this network, private, shared
   * (CGNAT), loopback, link-local, protocol assignments, benchmarks, multicast, reserved. Of IPv6,
   * all but global unicast 2000::/3, and of that what leads to IPv4. An IPv4 address mapped to IPv6
   * is one of IPv4 to Java.
   */
  private static final List<Range> SPECIAL =
      Stream.of(
              "0.0.0.0/8",
              "10.0.0.0/8",
              "100.64.0.0/10",
              "127.0.0.0/8",
              "169.254.0.0/16",
              "172.16.0.0/12",
              "192.0.0.0/24",
              "192.88.99.0/24",
              "192.168.0.0/16",
              "198.18.0.0/15",
              "224.0.0.0/3",
              "::/3",
              "4000::/2",
              "8000::/1",
              "2001::/23",
              "2002::/16")
          .map(Range::parse)
          .toList();

  private final List<Range> allowed;
  private final Supplier<Set<String>> ours;

  /**
   * @param allowed addresses or ranges in CIDR notation
   * @param ours the box' own addresses; asked for only where all else permits one
   * @throws IllegalArgumentException if a range is none, with a message for the operator
   */
  public PermittedAddresses(List<String> allowed, Supplier<Set<String>> ours) {
    this.allowed = allowed.stream().map(Range::parse).toList();
    this.ours = ours;
  }

  /**
   * Loopback, link-local addresses and the box' own are permitted only where they are named
   * themselves: whoever allows a network hardly means the box that is in it.
   */
  public boolean permit(InetAddress address) {
    if (allowed.stream().anyMatch(range -> range.isOnly(address))) {
      return true;
    }
    boolean inRange = allowed.stream().anyMatch(range -> range.contains(address));
    boolean isPublic = SPECIAL.stream().noneMatch(range -> range.contains(address));
    return (inRange || isPublic) && !isNear(address) && !isOurs(address);
  }

  private static boolean isNear(InetAddress address) {
    return address.isLoopbackAddress()
        || address.isLinkLocalAddress()
        || address.isAnyLocalAddress()
        || address.isMulticastAddress();
  }

  /** Whether it is loopback or the box' own: what listens there may be meant for the box alone. */
  public boolean isOurs(InetAddress address) {
    return address.isLoopbackAddress()
        || address.isAnyLocalAddress()
        || ours.get().stream()
            .map(text -> Range.parse(text.replaceFirst("%.*", "")))
            .anyMatch(range -> range.contains(address));
  }

  /**
   * @param bits how many of the address' first bits count
   */
  private record Range(byte[] address, int bits) {

    static Range parse(String text) {
      String[] parts = text.strip().split("/", 2);
      try {
        if (!parts[0].matches("[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")) {
          throw new UnknownHostException("no address");
        }
        byte[] address = InetAddress.getByName(parts[0]).getAddress();
        int bits = parts.length == 1 ? address.length * 8 : Integer.parseInt(parts[1]);
        if (bits >= 0 && bits <= address.length * 8) {
          return new Range(address, bits);
        }
      } catch (UnknownHostException | NumberFormatException e) {
        // Said below.
      }
      throw new IllegalArgumentException(
          VARIABLE + " has \"" + text + "\": use ranges such as 192.168.1.0/24.");
    }

    boolean isOnly(InetAddress other) {
      return bits == address.length * 8 && contains(other);
    }

    boolean contains(InetAddress other) {
      byte[] bytes = other.getAddress();
      if (bytes.length != address.length) {
        return false;
      }
      for (int bit = 0; bit < bits; bit++) {
        int mask = 0x80 >> bit % 8;
        if ((bytes[bit / 8] & mask) != (address[bit / 8] & mask)) {
          return false;
        }
      }
      return true;
    }
  }
}
