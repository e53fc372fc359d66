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
 * Calls that wait, by their {@linkplain Call#lane lanes}, and when each is begun: when it is due,
 * in the order in which they were accepted, as many at once as have places. A function, or whoever
 * else it is for, that takes nothing at the moment is asked with one of its calls now and then,
 * however many wait. On the invocation loop only.
 */
final class CallQueue {

  /** Of all lanes together; one alone has three quarters of it. */
  static final int MAX_RUNNING = 64;

  private static final long FIRST_PAUSE_MILLIS = 250;
  private static final long LONGEST_PAUSE_MILLIS = 8_000;

  private static final Comparator<Call> BY_TIME =
      Comparator.comparingLong(Call::dueAt).thenComparingLong(call -> call.origin().number());

  /** Runs something on the loop, in so many milliseconds or after what is there now. */
  interface Later {

    /**
     * @return calls it off
     */
    Runnable in(long millis, Runnable task);
  }

  private final Later later;
  private final LongSupplier now;
  private final Consumer<Call> begin;
  private final Map<String, Lane> lanes = new HashMap<>();
  private final Places<String> places = new Places<>(MAX_RUNNING);

  /** Who has waited for longest is first. */
  private final Queue<Lane> withoutPlace = new ArrayDeque<>();

  private boolean isOffering;
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
    private final String name;
    private final PriorityQueue<Call> calls = new PriorityQueue<>(BY_TIME);
    private int running;

    /** What its handlers take at once: as many as were running when one was not taken. */
    private int most = MAX_RUNNING;

    /** Until one more than that is tried; 0 once one was taken. */
    private long pause;

    private long pausedUntil;
    private long wakeAt = Long.MAX_VALUE;
    private Runnable callOffWaking = () -> {};
    private boolean isWithoutPlace;

    Lane(String name) {
      this.name = name;
    }
  }

  void add(Call call) {
    Lane lane = lanes.computeIfAbsent(call.lane(), Lane::new);
    lane.calls.add(call);
    wake(lane, call.dueAt());
  }

  /** Of one that is not begun. */
  void remove(Call call) {
    Lane lane = lanes.get(call.lane());
    if (lane != null && lane.calls.remove(call)) {
      dropIfEmpty(lane);
    }
  }

  /**
   * Whether a call in this lane that is due would be begun at once, so that its request need not be
   * read from disk again.
   */
  boolean isReady(String name) {
    Lane lane = lanes.get(name);
    int free = MAX_RUNNING - places.taken();
    return !stopped
        && free > 0
        && !Places.isMoreThanShare(places.has(name), free)
        && (lane == null || lane.calls.isEmpty() && lane.running < lane.most);
  }

  /** What came of a call that was begun. */
  enum End {
    /** Its function had it, or it has ended without. */
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
    Lane lane = lanes.get(call.lane());
    lane.running--;
    places.give(lane.name);
    long time = now.getAsLong();
    if (how == End.TAKEN) {
      lane.pause = 0;
      lane.pausedUntil = Math.min(lane.pausedUntil, time + FIRST_PAUSE_MILLIS);
      if (time >= lane.pausedUntil) {
        lane.most = Math.min(MAX_RUNNING, lane.most + 1);
      }
    } else if (how == End.NOT_TAKEN) {
      lane.most = lane.running;
      if (lane.pause == 0) {
        lane.pause = FIRST_PAUSE_MILLIS;
        lane.pausedUntil = time + lane.pause;
      }
    }
    if (!withoutPlace.isEmpty() && !isOffering) {
      isOffering = true;
      later.in(0, this::offer);
    }
    wake(lane, 0); // after those who have waited for the place
    dropIfEmpty(lane);
  }

  /** Handlers may have come: those that wait for one are tried at once. */
  void retry() {
    for (Lane lane : lanes.values()) {
      if (lane.pause > 0) {
        lane.pause = FIRST_PAUSE_MILLIS;
        lane.pausedUntil = 0;
        wake(lane, 0);
      }
    }
  }

  /** When calls are due has changed. */
  void reorder() {
    for (Lane lane : lanes.values()) {
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

  boolean isStopped() {
    return stopped;
  }

  private void wake(Lane lane, long at) {
    if (at < lane.wakeAt && !lane.isWithoutPlace) {
      lane.callOffWaking.run();
      lane.wakeAt = at;
      lane.callOffWaking = later.in(Math.max(0, at - now.getAsLong()), () -> woken(lane, at));
    }
  }

  private void woken(Lane lane, long at) {
    if (lane.wakeAt == at) { // else it is to be woken earlier, or has been
      lane.wakeAt = Long.MAX_VALUE;
      lane.callOffWaking = () -> {};
      beginDue(lane);
    }
  }

  /** Gives free places to those who have waited for one, each in turn. */
  private void offer() {
    isOffering = false;
    for (int left = withoutPlace.size(); left > 0 && places.taken() < MAX_RUNNING; left--) {
      Lane next = withoutPlace.remove();
      next.isWithoutPlace = false;
      beginDue(next);
    }
  }

  private void beginDue(Lane lane) {
    while (!stopped && !lane.calls.isEmpty()) {
      long time = now.getAsLong();
      boolean isOneMore = lane.running >= lane.most;
      if (isOneMore && lane.pause == 0) {
        return; // one that ends wakes it
      }
      long due = Math.max(lane.calls.peek().dueAt(), isOneMore ? lane.pausedUntil : 0);
      if (due > time) {
        wake(lane, due);
        return;
      }
      if (!places.take(lane.name)) {
        lane.isWithoutPlace = true;
        withoutPlace.add(lane);
        return;
      }
      if (isOneMore) {
        lane.most = lane.running + 1;
        lane.pause = Math.min(2 * lane.pause, LONGEST_PAUSE_MILLIS);
        lane.pausedUntil = time + lane.pause;
      }
      lane.running++;
      begin.accept(lane.calls.poll());
    }
  }

  private void dropIfEmpty(Lane lane) {
    if (lane.calls.isEmpty() && lane.running == 0) {
      lanes.remove(lane.name, lane);
      lane.callOffWaking.run();
      if (lane.isWithoutPlace) {
        withoutPlace.remove(lane);
      }
    }
  }
}
