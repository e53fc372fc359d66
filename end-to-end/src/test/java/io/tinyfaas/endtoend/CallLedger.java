package io.tinyfaas.endtoend;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * What a box has said that it has accepted, and what was seen of it since: kept outside of the box,
 * in the memory of who asks.
 */
final class CallLedger {

  /** By which a call was accepted. */
  enum Way {
    HTTP,
    DURABLE_FUNCTION,
    COAP,
    GRPC
  }

  /**
   * @param callback whether a function is told what becomes of it
   * @param at when the client had heard of it
   */
  record Accepted(String id, Way way, String function, boolean callback, Instant at) {
    Accepted(String id, Way way, String function, boolean callback) {
      this(id, way, function, callback, Instant.now());
    }
  }

  /**
   * One run of a function, as it was printed when it began.
   *
   * @param mark which no other run has
   * @param resultOf the call of which it is told the end; empty if it is told none
   * @param scheduledFor empty if no schedule made the call
   */
  record Run(
      String mark,
      String function,
      String call,
      int attempt,
      Instant at,
      String resultOf,
      String scheduledFor) {

    static Run parse(String function, String line) {
      String[] words = line.split(" ", -1);
      return new Run(
          words[1],
          function,
          words[2],
          Integer.parseInt(words[3]),
          Instant.ofEpochMilli(Long.parseLong(words[4])),
          words[5],
          words[6]);
    }
  }

  /** A call that has been seen as done or failed. */
  record End(String state, int attempts, Instant seen) {}

  private final Map<String, Accepted> accepted = new ConcurrentHashMap<>();
  private final Map<String, End> ended = new ConcurrentHashMap<>();
  private final Map<String, Run> runs = new ConcurrentHashMap<>();
  private final Set<Instant> cuts = ConcurrentHashMap.newKeySet();

  void accept(Accepted call) {
    accepted.putIfAbsent(call.id(), call);
  }

  /** Seen for the first time; what was seen before stays. */
  void end(String id, String state, int attempts) {
    ended.putIfAbsent(id, new End(state, attempts, Instant.now()));
  }

  void ran(Run run) {
    runs.putIfAbsent(run.mark(), run);
  }

  void cut(Instant at) {
    cuts.add(at);
  }

  Collection<Accepted> accepted() {
    return accepted.values();
  }

  /** Null if it has not been seen to have ended. */
  End endOf(String id) {
    return ended.get(id);
  }

  Collection<Run> runs() {
    return runs.values();
  }

  /** In the order in which they began. */
  Map<String, List<Run>> runsByCall() {
    Map<String, List<Run>> byCall = new ConcurrentSkipListMap<>();
    runs.values().stream()
        .sorted((one, other) -> one.at().compareTo(other.at()))
        .forEach(run -> byCall.computeIfAbsent(run.call(), call -> new ArrayList<>()).add(run));
    return byCall;
  }

  boolean wasCutBetween(Instant first, Instant second) {
    return cuts.stream().anyMatch(cut -> !cut.isBefore(first) && !cut.isAfter(second));
  }
}
