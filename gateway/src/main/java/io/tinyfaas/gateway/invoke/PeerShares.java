package io.tinyfaas.gateway.invoke;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;

/**
 * How many invocations of each address run, whatever protocols they came by. On the invocation loop
 * only.
 */
final class PeerShares {

  /** Of addresses of which nothing runs: so that those who come again cost nothing. */
  private static final int KEPT = 1_024;

  /** What one address has. */
  static final class Share {
    private int running;

    void end() {
      running--;
    }
  }

  private final int max;
  private final Map<InetAddress, Share> shares = new HashMap<>();
  private int full = KEPT;

  /**
   * @param max of one address
   */
  PeerShares(int max) {
    this.max = max;
  }

  Share of(InetAddress peer) {
    Share share = shares.get(peer);
    if (share == null) {
      if (shares.size() >= full) {
        shares.values().removeIf(idle -> idle.running == 0);
        full = Math.max(KEPT, 2 * shares.size());
      }
      share = new Share();
      shares.put(peer, share);
    }
    return share;
  }

  /**
   * Counts one more in either case; {@link Share#end} takes it off again.
   *
   * @return false if that is too many
   */
  boolean begin(Share share) {
    return ++share.running <= max;
  }

  /** Addresses that are known. */
  int size() {
    return shares.size();
  }
}
