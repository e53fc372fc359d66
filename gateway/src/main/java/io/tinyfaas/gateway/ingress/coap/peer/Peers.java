package io.tinyfaas.gateway.ingress.coap.peer;

import io.netty.handler.ipfilter.IpFilterRuleType;
import io.netty.handler.ipfilter.IpSubnetFilterRule;
import io.tinyfaas.contract.peer.PeerNetwork;
import io.tinyfaas.gateway.memory.Places;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The addresses that datagrams have come from lately, 1.5 MB of them at most: those that are
 * verified, and apart from them, so that a flood of invented addresses does not crowd them out,
 * those that are not. By address, not by port: what is verified is where datagrams go. Also by IPv6
 * that is one address; but the addresses of a {@link PeerNetwork network} have one share. On the
 * event loop.
 */
public final class Peers {

  static final int MAX_VERIFIED = 4_096;
  static final int MAX_UNVERIFIED = 1_024;
  private static final int MAX_SHARED = 1_024;

  private final List<IpSubnetFilterRule> trusted;
  private final Map<InetAddress, Peer> verified = bounded(MAX_VERIFIED);

  /** Of those that are verified. */
  private final Places<InetAddress> places = new Places<>(MAX_VERIFIED);

  private final Map<InetAddress, Peer> unverified = bounded(MAX_UNVERIFIED);

  /** Of networks that have many addresses. */
  private final Map<InetAddress, TransferShare> shared = bounded(MAX_SHARED);

  /**
   * @param trusted networks in CIDR notation whose addresses nobody else can use
   * @throws IllegalArgumentException if one is not in CIDR notation
   */
  public Peers(Collection<String> trusted) {
    this.trusted = trusted.stream().map(Peers::network).toList();
  }

  /**
   * @throws IllegalArgumentException if it is none, with what to do
   */
  public static IpSubnetFilterRule network(String cidr) {
    try {
      return new IpSubnetFilterRule(cidr.strip(), IpFilterRuleType.ACCEPT);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "TINYFAAS_COAP_TRUSTED_NETWORKS has \""
              + cidr
              + "\", which is no network: write it like 192.0.2.0/24",
          e);
    }
  }

  private static <V> Map<InetAddress, V> bounded(int max) {
    return new LinkedHashMap<>(16, 0.75f, true) {
      @Override
      protected boolean removeEldestEntry(Map.Entry<InetAddress, V> eldest) {
        return size() > max;
      }
    };
  }

  /** One that was crowded out is as if it came for the first time. */
  public Peer at(InetSocketAddress address) {
    InetAddress key = address.getAddress();
    Peer peer = verified.get(key);
    if (peer != null) {
      return peer;
    }
    peer = unverified.get(key);
    if (peer == null) {
      peer = new Peer(isTrusted(address), transfersOf(key));
    }
    if (peer.isVerified()) {
      unverified.remove(key);
      makeRoomFor(PeerNetwork.of(key));
      verified.put(key, peer);
    } else {
      unverified.put(key, peer);
    }
    return peer;
  }

  private TransferShare transfersOf(InetAddress address) {
    InetAddress network = PeerNetwork.of(address);
    return network.equals(address)
        ? new TransferShare()
        : shared.computeIfAbsent(network, first -> new TransferShare());
  }

  /** Where none is left for it, one of its own that is silent for longest, if it has any. */
  private void makeRoomFor(InetAddress network) {
    if (places.take(network)) {
      return;
    }
    boolean any = places.has(network) == 0;
    InetAddress silent =
        verified.keySet().stream()
            .filter(address -> any || PeerNetwork.of(address).equals(network))
            .findFirst()
            .orElseThrow();
    verified.remove(silent);
    places.give(PeerNetwork.of(silent));
    places.takeFreed(network);
  }

  /** Whether it is known to receive what is sent to its address. */
  public boolean isVerified(InetSocketAddress address) {
    Peer peer = verified.get(address.getAddress());
    return peer != null && peer.isVerified();
  }

  private boolean isTrusted(InetSocketAddress address) {
    return trusted.stream().anyMatch(network -> network.matches(address));
  }
}
