package io.tinyfaas.gateway.ingress.coap.duplicate;

import io.tinyfaas.gateway.memory.PeerNetwork;
import io.tinyfaas.gateway.memory.Places;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What is kept of peers, the one silent for longest first. It is the first to be forgotten, too,
 * unless one address has three quarters of them already, by whatever ports: then it is one of its
 * own, so that nobody makes the gateway forget others.
 *
 * @param <K> an address with its port, or a DTLS session, which stands for itself
 */
final class RecentPeers<K, V> {

  /** EXCHANGE_LIFETIME (RFC 7252, 4.8.2): a message ID may mean another message after it. */
  static final int LIFETIME_SECONDS = 247;

  private final Map<K, V> all = new LinkedHashMap<>(16, 0.75f, true);

  /** How many each address has. */
  private final Map<Object, Integer> counts = new HashMap<>();

  private static Object owner(Object peer) {
    return peer instanceof InetSocketAddress socket ? PeerNetwork.of(socket.getAddress()) : peer;
  }

  /** Null if there is none. It has been heard of now. */
  V get(K peer) {
    return all.get(peer);
  }

  /** The one there is, or the first. It has been heard of now. */
  V of(K peer, Supplier<V> first) {
    V known = all.get(peer);
    if (known == null) {
      known = first.get();
      all.put(peer, known);
      counts.merge(owner(peer), 1, Integer::sum);
    }
    return known;
  }

  boolean has(K peer) {
    return all.containsKey(peer);
  }

  void remove(K peer) {
    if (all.remove(peer) != null) {
      counts.computeIfPresent(owner(peer), (_, count) -> count == 1 ? null : count - 1);
    }
  }

  /** There has to be one. */
  Map.Entry<K, V> eldest() {
    return all.entrySet().iterator().next();
  }

  /** The one to be forgotten for what this has sent; null if there is no other. */
  Map.Entry<K, V> eldestFor(K peer) {
    Object owner = owner(peer);
    int its = counts.getOrDefault(owner, 0);
    boolean own = its > 1 && Places.isMoreThanShare(its, all.size() - its);
    for (Map.Entry<K, V> entry : all.entrySet()) {
      K other = entry.getKey();
      if (!other.equals(peer) && (!own || owner(other).equals(owner))) {
        return entry;
      }
    }
    return null;
  }

  /**
   * How many of so many places a peer may have: addresses have the same number, of which each of
   * their ports has its part, so that nobody leaves others fewer by taking ever more ports.
   *
   * @param most that any may have
   */
  int quota(K peer, int places, int most) {
    return Math.clamp(places / counts.size() / counts.get(owner(peer)), 1, most);
  }

  Collection<V> values() {
    return all.values();
  }

  int size() {
    return all.size();
  }

  void clear() {
    all.clear();
    counts.clear();
  }
}
