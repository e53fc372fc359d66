package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.loop.BugLog;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;

/**
 * A call from its acceptance until it is forgotten: what the gateway has of it in memory. Its
 * request or its result is on disk. On the invocation loop only.
 */
final class Call {

  /**
   * What does not change.
   *
   * @param number counts up; of an earlier call it is lower
   * @param device who asked, if it has proved to be a device
   * @param callback the function that is called with what becomes of it, or empty
   * @param depth how many functions and calls led to it, each by the one before
   * @param key the idempotency key and what was asked with it, if there is one
   * @param bytes what its request takes on disk
   */
  record Origin(
      CallId id,
      long number,
      String function,
      Protocol protocol,
      String device,
      String callback,
      int depth,
      Optional<IdempotencyKey> key,
      int bytes) {

    Origin {
      function = function.intern(); // the same for thousands of calls
    }
  }

  private static final BugLog BUGS =
      new BugLog(Logger.getLogger(Call.class), "call-watcher-failed");

  private static final Pattern CONTROL = Pattern.compile("\\p{Cc}");

  /** A status that is none: there was no answer. */
  static final int NO_STATUS = 0;

  private final Origin origin;
  private List<Runnable> watchers = List.of();
  private CallState state = CallState.WAITING;
  private boolean settled = true;
  private boolean recordIsOld;
  private int attempts;
  private long acceptedAt;
  private long ripeAt;
  private long dueAt;
  private boolean dueByClock;
  private long finishedAt;
  private int status;
  private String reason = "";
  private Optional<Kept> kept = Optional.empty();
  private Optional<Invoker.Running> running = Optional.empty();
  private boolean forgotten;

  /**
   * Its request, which needs not be read from disk.
   *
   * @param taken is told that it has been
   */
  record Kept(Invocation request, Runnable taken) {}

  /** Times are those of {@link CallClock}. */
  Call(Origin origin, long acceptedAt, long dueAt, boolean dueByClock) {
    this.origin = origin;
    this.acceptedAt = acceptedAt;
    this.ripeAt = dueAt;
    this.dueAt = dueAt;
    this.dueByClock = dueByClock;
  }

  Origin origin() {
    return origin;
  }

  CallId id() {
    return origin.id();
  }

  String function() {
    return origin.function();
  }

  /** As others may know it: what would not outlive the gateway has not ended yet. */
  CallState state() {
    return settled ? state : CallState.RUNNING;
  }

  /** As it goes to disk. */
  CallState decided() {
    return state;
  }

  /** Those that have ended. */
  int attempts() {
    return attempts;
  }

  long acceptedAt() {
    return acceptedAt;
  }

  /** When it may run first, from which on it ages. */
  long ripeAt() {
    return ripeAt;
  }

  /** When it may run, while it is waiting. */
  long dueAt() {
    return dueAt;
  }

  /** Whether that is a time of day, which stays what it is when the clock is set. */
  boolean isDueByClock() {
    return dueByClock;
  }

  /** Of what has not ended, 0. */
  long finishedAt() {
    return finishedAt;
  }

  /** The latest time at which something is known to have become of it. */
  long lastKnownAt() {
    return Math.max(acceptedAt, finishedAt);
  }

  /** Of the last answer. */
  int status() {
    return status;
  }

  /** Why it has failed, or its last attempt, or why it has not been tried. */
  String reason() {
    return reason;
  }

  boolean isFinished() {
    return state() == CallState.DONE || state() == CallState.FAILED;
  }

  /** False while it is being written how it has ended. */
  boolean isSettled() {
    return settled;
  }

  /** Whether its request is on disk where its result should be. */
  boolean isRecordOld() {
    return recordIsOld;
  }

  void keep(Kept request) {
    kept = Optional.of(request);
  }

  /** Its request, where it is still in memory; from then on it is on disk only. */
  Optional<Invocation> takeKept() {
    Optional<Invocation> request = kept.map(Kept::request);
    kept.ifPresent(there -> there.taken().run());
    kept = Optional.empty();
    return request;
  }

  void begin() {
    state = CallState.RUNNING;
  }

  void runs(Invoker.Running attempt) {
    running = Optional.of(attempt);
  }

  /** It has not been tried, and will be. */
  void putBack() {
    state = CallState.WAITING;
    running = Optional.empty();
  }

  /** An attempt has ended. */
  void attempted(int answer, String why) {
    attempts++;
    running = Optional.empty();
    status = answer;
    because(why);
  }

  void because(String why) {
    String line = CONTROL.matcher(why).replaceAll(" ");
    int end = Math.min(line.length(), CallDescription.MAX_REASON);
    boolean cutsCharacter = end < line.length() && Character.isLowSurrogate(line.charAt(end));
    reason = line.substring(0, cutsCharacter ? end - 1 : end);
  }

  void waitUntil(long due) {
    settled = true;
    finishedAt = 0;
    state = CallState.WAITING;
    dueAt = due;
    dueByClock = false;
  }

  /** How it ends is decided, and is to be {@linkplain #settle settled}. */
  void finish(CallState how, long now) {
    state = how;
    finishedAt = now;
    settled = false;
  }

  /** What became of it is on disk, or will be as soon as the disk takes something. */
  void settle() {
    settled = true;
  }

  /** Its result was not written. */
  void loseResult() {
    recordIsOld = true;
  }

  /** From the beginning, as if it had been accepted now. */
  void restart(long now) {
    attempts = 0;
    ripeAt = now;
    waitUntil(now);
  }

  /** As it was read from disk. */
  void restore(CallState was, long ripe, int tried, long finished, int answer, String why) {
    ripeAt = ripe;
    state = was == CallState.RUNNING ? CallState.WAITING : was;
    attempts = tried;
    finishedAt = finished;
    status = answer;
    reason = why;
  }

  /** The clock has been set. */
  void shift(long by) {
    acceptedAt += by;
    if (!dueByClock) {
      ripeAt += by;
      dueAt += by;
    }
    if (finishedAt != 0) {
      finishedAt += by;
    }
  }

  /** Runs it once, when it has finished or is forgotten. */
  void watch(Runnable watcher) {
    watchers = new ArrayList<>(watchers);
    watchers.add(watcher);
  }

  /** Those who watch it. */
  void tell() {
    List<Runnable> told = watchers;
    watchers = List.of();
    told.forEach(BUGS::guard);
  }

  /** Ends what runs of it, too. */
  void forget() {
    forgotten = true;
    takeKept();
    running.ifPresent(Invoker.Running::callOff);
    tell();
  }

  /** Nobody is to hear of it any more. */
  boolean isForgotten() {
    return forgotten;
  }

  CallDescription describe() {
    boolean waits = state == CallState.WAITING;
    return new CallDescription(
        origin.id(),
        new FunctionName(origin.function()),
        state(),
        state == CallState.RUNNING ? attempts + 1 : attempts,
        Instant.ofEpochMilli(acceptedAt),
        waits ? Optional.of(Instant.ofEpochMilli(dueAt)) : Optional.empty(),
        isFinished() ? Optional.of(Instant.ofEpochMilli(finishedAt)) : Optional.empty(),
        status == NO_STATUS ? Optional.empty() : Optional.of(status),
        reason.isEmpty() ? Optional.empty() : Optional.of(reason),
        origin.protocol().label(),
        origin.device().isEmpty() ? Optional.empty() : Optional.of(origin.device()));
  }
}
