package io.tinyfaas.gateway.ingress.coap.duplicate;

import io.tinyfaas.contract.peer.PeerNetwork;
import io.tinyfaas.gateway.memory.Places;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * What is kept of peers, the one silent for longest first. It is the first to be forgotten, too,
 * unless one address has three quarters of them already, by whatever ports: then it is one of its
 * own, so that nobody makes the gateway forget others. Those whose address is proved are forgotten
 * for each other only, as long as an eighth is left to all that may be invented.
 *
 * @param <K> an address with its port, or a DTLS session, which stands for itself
 */
final class RecentPeers<K, V> {

  /** EXCHANGE_LIFETIME (RFC 7252, 4.8.2): a message ID may mean another message after it. */
  static final int LIFETIME_SECONDS = 247;

  private static final int UNPROVED_FRACTION = 8;

  private final Predicate<? super K> isProved;
  private final Kind proved = new Kind();
  private final Kind unproved = new Kind();
  private final List<Kind> kinds = List.of(proved, unproved);

  /**
   * @param isProved whether nobody else can have sent what comes from there
   */
  RecentPeers(Predicate<? super K> isProved) {
    this.isProved = isProved;
  }

  private final class Kind {

    private final Map<K, V> all = new LinkedHashMap<>(16, 0.75f, true);

    /** How many each address has. */
    private final Map<Object, Integer> counts = new HashMap<>();

    void put(K peer, V value) {
      all.put(peer, value);
      counts.merge(owner(peer), 1, Integer::sum);
    }

    /** Null if there was none. */
    V remove(K peer) {
      V removed = all.remove(peer);
      if (removed != null) {
        counts.computeIfPresent(owner(peer), (_, count) -> count == 1 ? null : count - 1);
      }
      return removed;
    }

    /** Null if there is none of those. */
    Map.Entry<K, V> eldest(Predicate<K> of) {
      for (Map.Entry<K, V> entry : all.entrySet()) {
        if (of.test(entry.getKey())) {
          return entry;
        }
      }
      return null;
    }
  }

  private static Object owner(Object peer) {
    return peer instanceof InetSocketAddress socket ? PeerNetwork.of(socket.getAddress()) : peer;
  }

  private Kind kindOf(K peer) {
    return proved.all.containsKey(peer) ? proved : unproved;
  }

  private Kind other(Kind kind) {
    return kind == proved ? unproved : proved;
  }

  /** Null if there is none. It has been heard of now. */
  V get(K peer) {
    V known = proved.all.get(peer);
    return known == null ? unproved.all.get(peer) : known;
  }

  /** The one there is, or the first. It has been heard of now. */
  V of(K peer, Supplier<V> first) {
    Kind kind = isProved.test(peer) ? proved : unproved;
    V known = kind.all.get(peer);
    if (known == null) {
      known = other(kind).remove(peer); // proved since, or not any more
      known = known == null ? first.get() : known;
      kind.put(peer, known);
    }
    return known;
  }

  boolean has(K peer) {
    return proved.all.containsKey(peer) || unproved.all.containsKey(peer);
  }

  void remove(K peer) {
    kindOf(peer).remove(peer);
  }

  /**
   * Forgets those silent for longest, as long as they are to be.
   *
   * @param forget removes one
   */
  void forgetWhile(Predicate<V> isOver, Consumer<Map.Entry<K, V>> forget) {
    for (Kind kind : kinds) {
      Map.Entry<K, V> eldest = kind.eldest(any -> true);
      while (eldest != null && isOver.test(eldest.getValue())) {
        forget.accept(eldest);
        eldest = kind.eldest(any -> true);
      }
    }
  }

  /** The one to be forgotten for what this has sent; null if there is no other. */
  Map.Entry<K, V> eldestFor(K peer) {
    Object owner = owner(peer);
    Kind its = kindOf(peer);
    int count = its.counts.getOrDefault(owner, 0);
    if (count > 1 && Places.isMoreThanShare(count, size() - count)) {
      return its.eldest(other -> !other.equals(peer) && owner(other).equals(owner));
    }
    Kind kind = unproved.all.size() > size() / UNPROVED_FRACTION ? unproved : proved;
    Map.Entry<K, V> eldest = kind.eldest(other -> !other.equals(peer));
    return eldest == null ? other(kind).eldest(other -> !other.equals(peer)) : eldest;
  }

  /**
   * How many of so many places a peer may have: addresses have the same number, of which each of
   * their ports has its part, so that nobody leaves others fewer by taking ever more ports. All
   * that are not proved are one for those that are.
   *
   * @param most that any may have
   */
  int quota(K peer, int places, int most) {
    Kind kind = kindOf(peer);
    int others = unproved.counts.size();
    int owners = proved.counts.size() + (kind == proved ? Math.min(1, others) : others);
    return Math.clamp(places / owners / kind.counts.get(owner(peer)), 1, most);
  }

  Stream<V> values() {
    return Stream.concat(proved.all.values().stream(), unproved.all.values().stream());
  }

  int size() {
    return proved.all.size() + unproved.all.size();
  }

  void clear() {
    for (Kind kind : kinds) {
      kind.all.clear();
      kind.counts.clear();
    }
  }
}
