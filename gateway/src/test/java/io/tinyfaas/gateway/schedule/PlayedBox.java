package io.tinyfaas.gateway.schedule;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.ScheduleStatus;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.contract.route.Schedule;
import io.tinyfaas.contract.route.Schedule.Missed;
import io.tinyfaas.contract.route.Schedule.Overlap;
import io.tinyfaas.gateway.call.Acceptance;
import io.tinyfaas.gateway.call.Acceptance.Accepted;
import io.tinyfaas.gateway.call.Acceptance.TooMany;
import io.tinyfaas.gateway.call.Beside;
import io.tinyfaas.gateway.journal.Batch;
import io.tinyfaas.gateway.journal.BatchContent;
import io.vertx.core.Future;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** A box with a clock that the test turns, a function "f", and calls that end when it says so. */
final class PlayedBox implements Ticker.TickCalls {

  static final Instant BUILT = Instant.parse("2026-01-01T00:00:00Z");

  private final Map<Long, byte[]> disk = new HashMap<>();
  private final List<String> fired = new ArrayList<>();
  private final Map<CallId, Runnable> watched = new HashMap<>();
  private final Set<CallId> unfinished = new HashSet<>();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private long wall;
  private long steadyNanos = 7;
  private long calls;
  private List<Schedule> schedules = List.of();
  private Ticker ticker;
  private boolean keepsRunning;
  private boolean isFull;

  PlayedBox(String now) {
    wall = Instant.parse(now).toEpochMilli();
  }

  static Schedule cron(String cron, String zone, Missed missed, Overlap overlap) {
    return new Schedule(Optional.of(cron), Optional.empty(), zone, "POST", "", "", missed, overlap);
  }

  static Schedule cron(String cron, String zone) {
    return cron(cron, zone, Missed.ONCE, Overlap.ALLOW);
  }

  static Schedule every(Duration interval, Missed missed, Overlap overlap) {
    return new Schedule(
        Optional.empty(), Optional.of(interval.toMillis()), "UTC", "POST", "", "", missed, overlap);
  }

  /** The gateway starts, and gets its routes. */
  PlayedBox start(Schedule... its) {
    start(Instant.EPOCH);
    plan(its);
    return this;
  }

  void start(Instant latest) {
    ScheduleClock clock =
        new ScheduleClock(
            () -> wall, () -> steadyNanos, BUILT.toEpochMilli(), latest.toEpochMilli());
    ticker = new Ticker(clock, this, new ScheduleMetrics(registry), disk);
  }

  void plan(Schedule... its) {
    schedules = List.of(its);
    ticker.plan(
        List.of(
            new Route(
                new FunctionName("f"),
                1,
                1_000,
                Exposure.DEFAULT,
                CallPolicy.DEFAULT,
                schedules,
                List.of())));
    lookUntilQuiet();
  }

  /** It is killed, and is off for so long. */
  void off(Duration time) {
    ticker = null;
    watched.clear();
    wall += time.toMillis();
    steadyNanos = 3;
  }

  /** The same, and when it starts its clock shows this. */
  void setOff(String to) {
    off(Duration.ZERO);
    wall = Instant.parse(to).toEpochMilli();
  }

  void setClock(String to) {
    wall = Instant.parse(to).toEpochMilli();
    lookUntilQuiet();
  }

  void pass(Duration time) {
    long end = steadyNanos + time.toNanos();
    while (true) {
      long millis = Math.min(lookUntilQuiet(), TimeUnit.NANOSECONDS.toMillis(end - steadyNanos));
      if (millis <= 0) {
        return;
      }
      wall += millis;
      steadyNanos += TimeUnit.MILLISECONDS.toNanos(millis);
    }
  }

  private long lookUntilQuiet() {
    long delay = ticker.look();
    while (delay <= 1) {
      delay = ticker.look();
    }
    return delay;
  }

  void keepRunning(boolean yes) {
    keepsRunning = yes;
  }

  void endCalls() {
    unfinished.clear();
    List<Runnable> told = List.copyOf(watched.values());
    watched.clear();
    told.forEach(Runnable::run);
    lookUntilQuiet();
  }

  void isFull(boolean yes) {
    isFull = yes;
  }

  /** The times for which the function was called since it was asked last. */
  List<String> fired() {
    List<String> all = List.copyOf(fired);
    fired.clear();
    return all;
  }

  int records() {
    return disk.size();
  }

  ScheduleStatus status() {
    return ticker.describe("f", schedules).getFirst();
  }

  double counted(String event) {
    return registry.counter("tinyfaas.schedules.events", "event", event).count();
  }

  @Override
  public Future<Acceptance> accept(Planned planned, Instant time, Beside beside) {
    if (isFull) {
      return Future.succeededFuture(new TooMany());
    }
    CallId id =
        new CallId(
            Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(ByteBuffer.allocate(16).putLong(++calls).array()));
    Batch batch = new Batch();
    beside.write(batch, id);
    write(batch);
    fired.add(time.toString());
    if (keepsRunning) {
      unfinished.add(id);
    }
    return Future.succeededFuture(new Accepted(id));
  }

  @Override
  public boolean isUnfinished(CallId call) {
    return unfinished.contains(call);
  }

  @Override
  public void whenEnded(CallId call, Runnable what) {
    watched.put(call, what);
  }

  @Override
  public Future<Void> write(Batch batch) {
    BatchContent.apply(batch, disk);
    return Future.succeededFuture();
  }

  @Override
  public void look() {}
}
