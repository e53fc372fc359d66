package io.tinyfaas.gateway.call;

import io.tinyfaas.gateway.memory.Places;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Calls that wait, by function, and when each is begun: when it is due, in the order in which they
 * were accepted, as many at once as have places. A function that takes nothing at the moment is
 * asked with one of its calls now and then, however many wait. On the invocation loop only.
 */
final class CallQueue {

  /** Of all functions together; one alone has three quarters of it. */
  static final int MAX_RUNNING = 64;

  private static final long FIRST_PAUSE_MILLIS = 250;
  private static final long LONGEST_PAUSE_MILLIS = 8_000;

  private static final Comparator<Call> BY_TIME =
      Comparator.comparingLong(Call::dueAt).thenComparingLong(call -> call.origin().number());

  /** Runs something on the loop, in so many milliseconds or after what is there now. */
  interface Later {
    void in(long millis, Runnable task);
  }

  private final Later later;
  private final LongSupplier now;
  private final Consumer<Call> begin;
  private final Map<String, Lane> lanes = new HashMap<>();
  private final Places<String> places = new Places<>(MAX_RUNNING);
  private final Queue<Lane> withoutPlace = new ArrayDeque<>();
  private boolean stopped;

  /**
   * @param now in milliseconds
   * @param begin is given calls that {@link #ended} takes back
   */
  CallQueue(Later later, LongSupplier now, Consumer<Call> begin) {
    this.later = later;
    this.now = now;
    this.begin = begin;
  }

  private static final class Lane {
    private final String function;
    private final PriorityQueue<Call> calls = new PriorityQueue<>(BY_TIME);
    private int running;
    private long pause;
    private long pausedUntil;
    private long wakeAt = Long.MAX_VALUE;
    private boolean isWithoutPlace;

    Lane(String function) {
      this.function = function;
    }
  }

  void add(Call call) {
    Lane lane = lanes.computeIfAbsent(call.function(), Lane::new);
    lane.calls.add(call);
    wake(lane, Math.max(call.dueAt(), lane.pausedUntil));
  }

  /** Of one that is not begun. */
  void remove(Call call) {
    Lane lane = lanes.get(call.function());
    if (lane != null && lane.calls.remove(call)) {
      dropIfEmpty(lane);
    }
  }

  /**
   * Whether a call of this function that is due would be begun at once, so that its request need
   * not be read from disk again.
   */
  boolean isReady(String function) {
    Lane lane = lanes.get(function);
    int free = MAX_RUNNING - places.taken();
    return !stopped
        && free > 0
        && !Places.isMoreThanShare(places.has(function), free)
        && (lane == null || lane.calls.isEmpty() && lane.pause == 0);
  }

  /** What came of a call that was begun. */
  enum End {
    /** Its function had it. */
    TAKEN,
    /** None of the function's handlers took it. */
    NOT_TAKEN,
    /** The function was not asked. */
    NOT_ASKED
  }

  /**
   * A call that was begun is not running any more; if it is to be begun again, it is added before.
   */
  void ended(Call call, End how) {
    Lane lane = lanes.get(call.function());
    lane.running--;
    places.give(lane.function);
    if (how == End.TAKEN) {
      lane.pause = 0;
      lane.pausedUntil = 0;
    } else if (how == End.NOT_TAKEN) {
      lane.pause = Math.clamp(2 * lane.pause, FIRST_PAUSE_MILLIS, LONGEST_PAUSE_MILLIS);
      lane.pausedUntil = now.getAsLong() + lane.pause;
    }
    wake(lane, lane.pausedUntil);
    for (Lane next = withoutPlace.poll(); next != null; next = withoutPlace.poll()) {
      next.isWithoutPlace = false;
      wake(next, 0);
    }
    dropIfEmpty(lane);
  }

  /** Handlers may have come: those that wait for one are tried at once. */
  void retry() {
    for (Lane lane : lanes.values()) {
      if (lane.pause > 0) {
        lane.pausedUntil = 0;
        wake(lane, 0);
      }
    }
  }

  /** When calls are due has changed. */
  void reorder() {
    for (Lane lane : new ArrayList<>(lanes.values())) {
      ArrayList<Call> calls = new ArrayList<>(lane.calls);
      lane.calls.clear();
      lane.calls.addAll(calls);
      lane.pausedUntil = 0;
      wake(lane, 0);
    }
  }

  /** Begins none any more. */
  void stop() {
    stopped = true;
  }

  private void wake(Lane lane, long at) {
    if (at < lane.wakeAt && !lane.isWithoutPlace) {
      lane.wakeAt = at;
      later.in(Math.max(0, at - now.getAsLong()), () -> woken(lane, at));
    }
  }

  private void woken(Lane lane, long at) {
    if (lane.wakeAt == at) { // else it is to be woken earlier, or has been
      lane.wakeAt = Long.MAX_VALUE;
      beginDue(lane);
    }
  }

  private void beginDue(Lane lane) {
    while (!stopped && !lane.calls.isEmpty() && (lane.pause == 0 || lane.running == 0)) {
      long due = Math.max(lane.calls.peek().dueAt(), lane.pausedUntil);
      if (due > now.getAsLong()) {
        wake(lane, due);
        return;
      }
      if (!places.take(lane.function)) {
        lane.isWithoutPlace = true;
        withoutPlace.add(lane);
        return;
      }
      lane.running++;
      begin.accept(lane.calls.poll());
    }
  }

  private void dropIfEmpty(Lane lane) {
    if (lane.calls.isEmpty() && lane.running == 0) {
      lanes.remove(lane.function, lane);
    }
  }
}
