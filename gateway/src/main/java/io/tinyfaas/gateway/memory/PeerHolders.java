package io.tinyfaas.gateway.memory;

import io.tinyfaas.contract.peer.PeerNetwork;
import jakarta.inject.Singleton;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;

/**
 * What each address has, or {@link PeerNetwork network}, whatever protocols it uses, and each
 * function that calls others. On the event loop only.
 */
@Singleton
public final class PeerHolders {

  /** Of those that have nothing: so that those who come again cost nothing. */
  private static final int KEPT = 1_024;

  /** By address, or by the name of a function. */
  private final Map<Object, Holder> holders = new HashMap<>();

  private int full = KEPT;

  public Holder of(InetAddress address) {
    return ofKey(PeerNetwork.of(address));
  }

  public Holder ofFunction(String name) {
    return ofKey(name);
  }

  private Holder ofKey(Object peer) {
    Holder holder = holders.get(peer);
    if (holder == null) {
      if (holders.size() >= full) {
        holders.values().removeIf(Holder::isIdle);
        full = Math.max(KEPT, 2 * holders.size());
      }
      holder = new Holder();
      holders.put(peer, holder);
    }
    return holder;
  }

  /** Those that are known. */
  int size() {
    return holders.size();
  }
}
