package io.tinyfaas.manager.compat;

import io.quarkus.runtime.configuration.ConfigurationException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * From which addresses an archive may be fetched: public ones that are not this box', and what the
 * operator allows besides. Whoever may deploy must not look into the network that the box is in.
 */
final class FetchAddresses {

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
   */
  FetchAddresses(List<String> allowed, Supplier<Set<String>> ours) {
    this.allowed = allowed.stream().map(Range::parse).toList();
    this.ours = ours;
  }

  boolean permit(InetAddress address) {
    return allowed.stream().anyMatch(range -> range.contains(address))
        || SPECIAL.stream().noneMatch(range -> range.contains(address)) && !isOurs(address);
  }

  private boolean isOurs(InetAddress address) {
    return ours.get().stream()
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
      throw new ConfigurationException(
          "TINYFAAS_FETCH_ALLOW has \"" + text + "\": use ranges such as 192.168.1.0/24.");
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
