package io.tinyfaas.manager.api.connection;

import io.tinyfaas.contract.peer.PeerNetwork;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Who has the places for connections. No address, or {@link PeerNetwork network}, holds more than
 * are left, so that one which floods has half of them and a newcomer always finds one. Where there
 * is none for an address by that, a connection without a request gives way to its new one: of those
 * of this address and of addresses that hold more, the one that has waited longest.
 */
final class ConnectionPlaces<C> {

  private final int max;
  private final int own;
  private final Consumer<C> end;

  private final Map<C, InetAddress> open = new HashMap<>();

  /** Those without a request at hand, the one that has waited longest first. */
  private final Set<C> waiting = new LinkedHashSet<>();

  private final Map<InetAddress, Integer> held = new HashMap<>();

  /**
   * @param own how many there are besides for who is on this machine
   * @param end closes a connection that gives way
   */
  ConnectionPlaces(int max, int own, Consumer<C> end) {
    this.max = max;
    this.own = own;
    this.end = end;
  }

  /**
   * A new connection, which waits for its first request.
   *
   * @return false if there is no place for it
   */
  synchronized boolean take(C connection, InetAddress from, boolean isOwn) {
    InetAddress address = PeerNetwork.of(from);
    int free = (isOwn ? max + own : max) - open.size();
    if (held(address) >= free) {
      Optional<C> other = whichGivesWay(address);
      if (other.isEmpty()) {
        return false;
      }
      release(other.get());
      end.accept(other.get());
    }
    open.put(connection, address);
    held.merge(address, 1, Integer::sum);
    waiting.add(connection);
    return true;
  }

  private Optional<C> whichGivesWay(InetAddress to) {
    int theirs = held(to);
    return waiting.stream()
        .filter(other -> open.get(other).equals(to) || held(open.get(other)) > theirs)
        .findFirst();
  }

  private int held(InetAddress address) {
    return held.getOrDefault(address, 0);
  }

  /** A request is at hand: until it is answered, the connection gives way to none. */
  synchronized void busy(C connection) {
    waiting.remove(connection);
  }

  synchronized void answered(C connection) {
    if (open.containsKey(connection)) {
      waiting.add(connection);
    }
  }

  /** It is closed; nothing if it has given way. */
  synchronized void release(C connection) {
    InetAddress address = open.remove(connection);
    if (address != null) {
      waiting.remove(connection);
      held.computeIfPresent(address, (same, count) -> count == 1 ? null : count - 1);
    }
  }
}
