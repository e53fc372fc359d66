package io.tinyfaas.gateway.invoke;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Attempts that wait for a connection to a handler. Peers take turns, each with the one of its
 * attempts that has waited longest: a device that asks a slow function more often than it can
 * answer waits behind itself, not the others behind it.
 */
final class WaitingAttempts {

  private final Map<Object, ArrayDeque<Attempt>> byPeer = new HashMap<>();

  /** Of those that have any waiting, in the order of their turns. */
  private final ArrayDeque<ArrayDeque<Attempt>> turns = new ArrayDeque<>();

  private int size;

  boolean isEmpty() {
    return size == 0;
  }

  int size() {
    return size;
  }

  void add(Attempt attempt) {
    ArrayDeque<Attempt> its = byPeer.get(attempt.invocation().turn());
    if (its == null) {
      its = new ArrayDeque<>();
      byPeer.put(attempt.invocation().turn(), its);
      turns.addLast(its);
    }
    its.addLast(attempt);
    size++;
  }

  /** The one whose turn it is; there has to be one. */
  Attempt first() {
    return turns.getFirst().getFirst();
  }

  /** The one whose turn it is among those of such peers; null if there is none. */
  Attempt first(Predicate<Object> eligible) {
    for (ArrayDeque<Attempt> its : turns) {
      Attempt attempt = its.getFirst();
      if (eligible.test(attempt.invocation().turn())) {
        return attempt;
      }
    }
    return null;
  }

  /** Takes the one whose turn it is; there has to be one. */
  Attempt removeFirst() {
    ArrayDeque<Attempt> its = turns.removeFirst();
    Attempt attempt = its.removeFirst();
    size--;
    if (its.isEmpty()) {
      byPeer.remove(attempt.invocation().turn());
    } else {
      turns.addLast(its);
    }
    return attempt;
  }

  /** Nothing if it does not wait. */
  void remove(Attempt attempt) {
    ArrayDeque<Attempt> its = byPeer.get(attempt.invocation().turn());
    if (its == null || !its.remove(attempt)) {
      return;
    }
    size--;
    if (its.isEmpty()) {
      byPeer.remove(attempt.invocation().turn());
      turns.removeIf(turn -> turn == its);
    }
  }

  /** As {@link #remove}, as its peer's turn. */
  void take(Attempt attempt) {
    ArrayDeque<Attempt> its = byPeer.get(attempt.invocation().turn());
    remove(attempt);
    if (!its.isEmpty()) {
      turns.removeIf(turn -> turn == its);
      turns.addLast(its);
    }
  }
}
