package io.tinyfaas.manager.network;

import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * An IPv4 range cut into subnets of {@value #SUBNET_SIZE} addresses. Docker's own pools end at the
 * 31st network; a /16 of ours holds 1,024.
 */
public record AddressPool(String cidr, int base, int size) {

  static final int SUBNET_SIZE = 64;

  private static final int SUBNET_PREFIX = 26;

  private static final String OCTET = "(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)";
  private static final Pattern ADDRESS = Pattern.compile("(?:" + OCTET + "\\.){3}" + OCTET);

  /**
   * @throws IllegalArgumentException if the text is not an IPv4 range of /8 to /26
   */
  static AddressPool parse(String cidr) {
    String[] parts = cidr.split("/");
    if (parts.length == 2 && ADDRESS.matcher(parts[0]).matches() && parts[1].matches("\\d{1,2}")) {
      int prefix = Integer.parseInt(parts[1]);
      if (prefix >= 8 && prefix <= SUBNET_PREFIX) {
        int size = 1 << (32 - prefix);
        return new AddressPool(cidr, toInt(parts[0]) & -size, size);
      }
    }
    throw new IllegalArgumentException(
        "TINYFAAS_ADDRESS_POOL is "
            + cidr
            + ": use an IPv4 range of /8 to /26, such as 10.200.0.0/16.");
  }

  /** Whether all of this range is in the pool. */
  boolean has(String range) {
    String[] parts = range.split("/");
    if (parts.length != 2 || !ADDRESS.matcher(parts[0]).matches()) {
      return false;
    }
    int first = toInt(parts[0]) - base;
    return first >= 0
        && first < size
        && Integer.parseInt(parts[1]) >= Integer.numberOfLeadingZeros(size) + 1;
  }

  /** One function's part of the pool; its first address is the bridge's. */
  public record Subnet(int base) {

    /** The host part 2: the gateway's, in every subnet. */
    String gateway() {
      return address(2);
    }

    /** The host part 3: the manager's, in every subnet. */
    String manager() {
      return address(3);
    }

    /** The lowest address for a handler that is not in use; a subnet has 59 of them. */
    public String freeAddress(Set<String> inUse) {
      return IntStream.range(4, SUBNET_SIZE - 1)
          .mapToObj(this::address)
          .filter(address -> !inUse.contains(address))
          .findFirst()
          .orElseThrow(() -> new IllegalStateException("no address is free in " + cidr()));
    }

    String cidr() {
      return address(0) + "/" + SUBNET_PREFIX;
    }

    String address(int host) {
      int value = base + host;
      return (value >>> 24)
          + "."
          + (value >>> 16 & 0xff)
          + "."
          + (value >>> 8 & 0xff)
          + "."
          + (value & 0xff);
    }

    static Subnet parse(String cidr) {
      return new Subnet(toInt(cidr.substring(0, cidr.indexOf('/'))));
    }
  }

  /** All subnets that are not in use, lowest first. */
  Stream<Subnet> free(Set<String> inUse) {
    return IntStream.range(0, size / SUBNET_SIZE)
        .mapToObj(i -> new Subnet(base + i * SUBNET_SIZE))
        .filter(subnet -> !inUse.contains(subnet.cidr()));
  }

  private static int toInt(String address) {
    int value = 0;
    for (String octet : address.split("\\.")) {
      value = value << 8 | Integer.parseInt(octet);
    }
    return value;
  }
}
