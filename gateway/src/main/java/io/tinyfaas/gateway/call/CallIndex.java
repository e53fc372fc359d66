package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.gateway.call.IdempotencyKey.Digest;
import io.tinyfaas.gateway.memory.Places;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The calls that are known, and whose room they take. Of places and of bytes on disk no function
 * gets more that has three times as many as are free. Those that are done are in nobody's way: the
 * oldest of them are forgotten for new ones. On the invocation loop only.
 */
final class CallIndex {

  private static final int TIMES_FREE = 3;

  private final int max;
  private final long maxBytes;
  private final Map<CallId, Call> calls = new LinkedHashMap<>();
  private final Map<Digest, Call> byKey = new HashMap<>();

  /** The oldest first. */
  private final Set<Call> done = new LinkedHashSet<>();

  private final Map<String, Share> shares = new HashMap<>();
  private final Share all = new Share();

  /** What has not been done. */
  private static final class Share {
    private int calls;
    private long bytes;

    void add(int more, long moreBytes) {
      calls += more;
      bytes += moreBytes;
    }
  }

  /**
   * @param max calls
   * @param maxBytes of requests on disk
   */
  CallIndex(int max, long maxBytes) {
    this.max = max;
    this.maxBytes = maxBytes;
  }

  Optional<Call> find(CallId id) {
    return Optional.ofNullable(calls.get(id));
  }

  Optional<Call> find(Digest key) {
    return Optional.ofNullable(byKey.get(key));
  }

  /** In the order in which they were accepted. */
  Collection<Call> all() {
    return calls.values();
  }

  /** Whether one has to go before the next is added. */
  boolean isFull() {
    return calls.size() >= max;
  }

  /** What followed from calls is there whether it had room or not. */
  boolean hasTooMany() {
    return calls.size() > max && !done.isEmpty();
  }

  /** Of those that are done, the one that has been for longest. */
  Optional<Call> oldestDone() {
    Iterator<Call> oldest = done.iterator();
    return oldest.hasNext() ? Optional.of(oldest.next()) : Optional.empty();
  }

  /** Whether there is room for a request of the function with so many bytes. */
  boolean hasRoom(String function, long more) {
    Share its = shares.getOrDefault(function, new Share());
    int free = max - all.calls;
    long bytesFree = maxBytes - all.bytes;
    return free > 0
        && !Places.isMoreThanShare(its.calls, free)
        && more <= bytesFree
        && its.bytes <= TIMES_FREE * bytesFree;
  }

  /** Whether there is room for it or not: of what has been accepted nothing is lost. */
  void add(Call call) {
    calls.put(call.id(), call);
    call.origin().key().ifPresent(key -> byKey.put(key.key(), call));
    if (call.state() == CallState.DONE) {
      done.add(call);
    } else {
      take(call);
    }
  }

  /** Of one that is done, the request is not needed any more. */
  void finished(Call call) {
    if (call.state() == CallState.DONE) {
      give(call);
      done.add(call);
    }
  }

  void remove(Call call) {
    if (calls.remove(call.id()) == null) {
      return;
    }
    call.origin().key().ifPresent(key -> byKey.remove(key.key(), call));
    if (!done.remove(call)) {
      give(call);
    }
  }

  private void take(Call call) {
    shares.computeIfAbsent(call.function(), _ -> new Share()).add(1, call.origin().bytes());
    all.add(1, call.origin().bytes());
  }

  private void give(Call call) {
    Share its = shares.get(call.function());
    its.add(-1, -call.origin().bytes());
    all.add(-1, -call.origin().bytes());
    if (its.calls == 0) {
      shares.remove(call.function());
    }
  }
}
