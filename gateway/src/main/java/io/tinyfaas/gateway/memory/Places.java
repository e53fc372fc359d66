package io.tinyfaas.gateway.memory;

import java.util.HashMap;
import java.util.Map;

/**
 * A number of places, as of connections. Nobody gets another who has more than three times as many
 * as are free: one alone can have three quarters, two three sevenths each, and there is always one
 * for those who have none.
 *
 * @param <W> who has them: an address, a device
 */
public final class Places<W> {

  private static final int TIMES_FREE = 3;

  private final int max;
  private final Map<W, Integer> taken = new HashMap<>();
  private int free;

  public Places(int max) {
    this.max = max;
    this.free = max;
  }

  /**
   * @return false if there is none for it
   */
  public boolean take(W who) {
    if (free == 0 || isMoreThanShare(has(who), free)) {
      return false;
    }
    takeFreed(who);
    return true;
  }

  /**
   * In the place that has just been given up for it, whatever it has. There has to be a free one.
   */
  public void takeFreed(W who) {
    if (free == 0) {
      throw new IllegalStateException("no place is free");
    }
    taken.merge(who, 1, Integer::sum);
    free--;
  }

  /** Whether somebody who has so many gets no more. */
  public static boolean isMoreThanShare(int has, int free) {
    return has > TIMES_FREE * free;
  }

  public void give(W who) {
    taken.computeIfPresent(who, (_, count) -> count == 1 ? null : count - 1);
    free++;
  }

  /** How many it has. */
  public int has(W who) {
    return taken.getOrDefault(who, 0);
  }

  /** How many are taken. */
  public int taken() {
    return max - free;
  }
}
