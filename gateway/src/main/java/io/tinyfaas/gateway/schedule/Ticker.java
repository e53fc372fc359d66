package io.tinyfaas.gateway.schedule;

import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.ScheduleStatus;
import io.tinyfaas.contract.control.ScheduleStatus.State;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.contract.route.Schedule;
import io.tinyfaas.contract.route.Schedule.Missed;
import io.tinyfaas.contract.route.Schedule.Overlap;
import io.tinyfaas.gateway.call.Acceptance;
import io.tinyfaas.gateway.call.Acceptance.Accepted;
import io.tinyfaas.gateway.call.Acceptance.KeyReused;
import io.tinyfaas.gateway.call.Acceptance.NoCallback;
import io.tinyfaas.gateway.call.Acceptance.NotStored;
import io.tinyfaas.gateway.call.Acceptance.Refused;
import io.tinyfaas.gateway.call.Acceptance.TooMany;
import io.tinyfaas.gateway.call.Beside;
import io.tinyfaas.gateway.journal.Batch;
import io.vertx.core.Future;
import java.io.IOException;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jboss.logging.Logger;

/**
 * Makes a call of each time of each schedule. That it has been made is on disk together with the
 * call, so that no time makes two, and what is not on disk is made up for. On the loop only.
 */
final class Ticker {

  private static final Logger LOG = Logger.getLogger(Ticker.class);

  /** The clock is looked at as often. */
  static final long LOOK_MILLIS = 1_000;

  private static final long RETRY_MILLIS = 1_000;

  /** A gateway starts anew, or a loop is busy: what is not later than this has not been missed. */
  static final long ON_TIME_MILLIS = 30_000;

  /**
   * A clock that is set back by more was wrong before. By less, times that have been do not come
   * again.
   */
  private static final long SET_BACK_MILLIS = 86_400_000;

  /** Of a schedule that makes up for all of its times; what is beyond is left out. */
  static final int MAX_MADE_UP = 1_000;

  /** So that none of the looks holds up the loop: of all schedules it may be midnight. */
  private static final int AT_ONCE = 16;

  private final ScheduleClock clock;
  private final TickCalls calls;
  private final ScheduleMetrics metrics;
  private final Times times = new Times();
  private final Map<Long, byte[]> records;
  private final Map<Long, Planned> all = new HashMap<>();
  private boolean known;
  private boolean trusted;

  /** What it makes calls with. */
  interface TickCalls {
    Future<Acceptance> accept(Planned planned, Instant time, Beside beside);

    /** Whether it waits or runs. */
    boolean isUnfinished(CallId call);

    /** Does something once when it has ended. */
    void whenEnded(CallId call, Runnable what);

    Future<Void> write(Batch batch);

    /** Something may be due by now. */
    void look();
  }

  /**
   * @param records what was on disk, by its keys
   */
  Ticker(ScheduleClock clock, TickCalls calls, ScheduleMetrics metrics, Map<Long, byte[]> records) {
    this.clock = clock;
    this.calls = calls;
    this.metrics = metrics;
    this.records = new HashMap<>(records);
    this.trusted = clock.isTrusted();
    metrics.trusted(trusted);
  }

  /**
   * From now on these are the functions. Schedules that are the same go on, others begin, and those
   * that are gone are forgotten.
   */
  void plan(List<Route> routes) {
    Map<Long, Planned> before = new HashMap<>(all);
    all.clear();
    for (Route route : routes) {
      for (Schedule schedule : route.schedules()) {
        String function = route.function().value();
        long key = ScheduleRecord.key(function, schedule);
        Planned planned = before.remove(key);
        if (planned == null) {
          planned = begin(function, schedule, key);
        }
        planned.schedule = schedule;
        all.put(key, planned);
      }
    }
    before.values().forEach(planned -> planned.isRemoved = true);
    Set<Long> gone = new HashSet<>(before.keySet());
    if (!known) {
      known = true;
      gone.addAll(records.keySet());
      records.clear();
      if (!trusted && all.values().stream().anyMatch(Planned::isCron)) {
        LOG.warn(
            "event=schedules-wait-for-clock reason=\"the clock is before what is known to have"
                + " been\" action=\"set it\"");
      }
    }
    if (!gone.isEmpty()) {
      Batch removal = new Batch();
      gone.forEach(removal::remove);
      calls.write(removal);
    }
    metrics.schedules(all.size());
  }

  boolean isEmpty() {
    return all.isEmpty();
  }

  private Planned begin(String function, Schedule schedule, long key) {
    Planned planned = new Planned(function, schedule, key);
    byte[] record = records.remove(key);
    if (record != null) {
      try {
        restore(planned, ScheduleRecord.of(record));
        return planned;
      } catch (IOException e) {
        LOG.errorf(
            "event=schedule-unreadable function=%s schedule=\"%s\" reason=\"%s\"",
            function, schedule.text(), e.getMessage());
      }
    }
    beginNow(planned);
    return planned;
  }

  private void restore(Planned planned, ScheduleRecord record) {
    planned.last = record.last();
    planned.call = record.call();
    planned.position = record.position();
    planned.missedUntil = now(planned);
    boolean isKnown = record.trusted() && trusted && record.position() <= now(planned);
    if (!planned.isCron() && !isKnown) {
      beginNow(planned); // nobody knows how long it was
    }
  }

  private void beginNow(Planned planned) {
    if (!planned.isCron() || trusted) {
      planned.position = now(planned);
      save(planned);
    }
  }

  private long now(Planned planned) {
    return planned.isCron() ? clock.wall() : clock.even();
  }

  /**
   * Makes the calls that are due, or some of them.
   *
   * @return in how many milliseconds to do so again
   */
  long look() {
    long by = clock.look();
    if (by != 0 || clock.isTrusted() != trusted) {
      clockSet(by);
    }
    long wall = clock.wall();
    long even = clock.even();
    long delay = LOOK_MILLIS;
    int left = AT_ONCE;
    for (Planned planned : all.values()) {
      long now = planned.isCron() ? wall : even;
      if (planned.lookAt <= now && !planned.isWriting) {
        if (left-- == 0) {
          return 1;
        }
        look(planned, now);
      }
      if (!planned.isWriting) {
        delay = Math.min(delay, Math.max(1, planned.lookAt - Math.min(now, planned.lookAt)));
      }
    }
    return delay;
  }

  private void clockSet(long by) {
    if (clock.isTrusted() != trusted) {
      trusted = clock.isTrusted();
      metrics.trusted(trusted);
      LOG.infof("event=schedules-clock trusted=%s", trusted);
    }
    for (Planned planned : all.values()) {
      if (planned.isCron()) {
        planned.lookAt = Long.MIN_VALUE;
        planned.missedUntil = clock.wall();
        planned.madeUp = 0;
      } else {
        planned.shift(by);
      }
    }
  }

  private void look(Planned planned, long now) {
    if (planned.isCron() && !trusted) {
      planned.next = Times.NEVER;
      planned.lookAt = Times.NEVER;
      return;
    }
    if (planned.position == Planned.UNKNOWN || planned.position > now + SET_BACK_MILLIS) {
      beginNow(planned);
    }
    planned.next = times.next(planned.schedule, planned.position);
    planned.lookAt = planned.next;
    if (planned.next > now) {
      return;
    }
    OptionalLong due = due(planned, now);
    if (due.isEmpty()) {
      return;
    }
    long time = due.getAsLong();
    if (planned.schedule.overlap() == Overlap.SKIP
        && planned.call.filter(calls::isUnfinished).isPresent()) {
      overlaps(planned, time);
    } else {
      fire(planned, time);
    }
  }

  /**
   * The time that is to make a call of those that have come.
   *
   * @return empty if none is: then they are done
   */
  private OptionalLong due(Planned planned, long now) {
    long first = planned.next;
    boolean isAlone = times.next(planned.schedule, first) > now;
    if (planned.schedule.missed() == Missed.ALL) {
      boolean isEnough = planned.madeUp >= MAX_MADE_UP && first <= planned.missedUntil;
      if (!isEnough) {
        return OptionalLong.of(first);
      }
      leaveOut(planned, times.latest(planned.schedule, first, now));
      return OptionalLong.empty();
    }
    long latest = isAlone ? first : times.latest(planned.schedule, first, now);
    boolean isLate = now - latest > ON_TIME_MILLIS && latest != planned.refused;
    if (planned.schedule.missed() == Missed.SKIP && isLate) {
      leaveOut(planned, latest);
      return OptionalLong.empty();
    }
    if (!isAlone) {
      long before = latest - planned.schedule.everyMillis().orElse(1L);
      tellMissed(planned, before);
      planned.position = before;
      planned.next = latest;
    }
    return OptionalLong.of(latest);
  }

  private void leaveOut(Planned planned, long until) {
    tellMissed(planned, until);
    pass(planned, until);
  }

  private void tellMissed(Planned planned, long until) {
    metrics.missed();
    LOG.infof(
        "event=schedule-missed function=%s schedule=\"%s\" from=%s until=%s",
        planned.function,
        planned.schedule.text(),
        Instant.ofEpochMilli(planned.next),
        Instant.ofEpochMilli(until));
  }

  /** Of times that have been missed each waits for its turn; of others it is left out. */
  private void overlaps(Planned planned, long time) {
    if (planned.schedule.missed() == Missed.ALL && time <= planned.missedUntil) {
      planned.lookAt = Times.NEVER;
      calls.whenEnded(
          planned.call.orElseThrow(),
          () -> {
            planned.lookAt = Long.MIN_VALUE;
            calls.look();
          });
      return;
    }
    metrics.overlapped();
    pass(planned, time);
  }

  private void pass(Planned planned, long time) {
    planned.position = time;
    planned.refused = Planned.UNKNOWN;
    planned.next = times.next(planned.schedule, time);
    planned.lookAt = planned.next;
    save(planned);
  }

  /** If it does not get to the disk, it is only told once more after a restart. */
  private void save(Planned planned) {
    calls.write(
        new Batch()
            .put(planned.key, record(planned, planned.position, planned.last, planned.call)));
  }

  private byte[] record(
      Planned planned, long position, Optional<Long> last, Optional<CallId> call) {
    return new ScheduleRecord(position, trusted, last, call).toBytes();
  }

  private void fire(Planned planned, long time) {
    planned.isWriting = true;
    planned.firing = time;
    calls
        .accept(planned, Instant.ofEpochMilli(time), new Fired(planned, time))
        .onSuccess(acceptance -> fired(planned, acceptance));
  }

  /** That a time has made its call, on disk with that call. */
  private final class Fired implements Beside {
    private final Planned planned;
    private final long time;

    Fired(Planned planned, long time) {
      this.planned = planned;
      this.time = time;
    }

    @Override
    public void write(Batch batch, CallId call) {
      batch.put(planned.key, record(planned, time, Optional.of(time), Optional.of(call)));
    }

    @Override
    public OptionalLong number() {
      return planned.failedNumber;
    }

    @Override
    public void failed(long number) {
      planned.failedNumber = OptionalLong.of(number);
    }
  }

  private void fired(Planned planned, Acceptance acceptance) {
    long time = planned.firing; // the clock may have been set meanwhile
    planned.isWriting = false;
    switch (acceptance) {
      case Accepted(CallId id) -> {
        metrics.called();
        planned.madeUp = time <= planned.missedUntil ? planned.madeUp + 1 : 0;
        planned.position = time;
        planned.last = Optional.of(time);
        planned.call = Optional.of(id);
        planned.refused = Planned.UNKNOWN;
        planned.failedNumber = OptionalLong.empty();
        planned.next = times.next(planned.schedule, time);
        planned.lookAt = planned.next;
      }
      case Refused(var why) -> {
        refused(planned, time, why.outcome());
        pass(planned, time);
      }
      case NoCallback _, TooMany _, KeyReused _, NotStored _ -> {
        refused(planned, time, acceptance.refusal().orElse(""));
        planned.missedUntil = now(planned);
        planned.lookAt = planned.missedUntil + RETRY_MILLIS;
      }
    }
    if (planned.isRemoved && !all.containsKey(planned.key)) {
      calls.write(new Batch().remove(planned.key)); // its record came after it had been removed
    }
    calls.look();
  }

  private void refused(Planned planned, long time, String why) {
    if (planned.refused != time) {
      planned.refused = time;
      metrics.refused();
      LOG.warnf(
          "event=schedule-refused function=%s schedule=\"%s\" for=%s reason=%s",
          planned.function, planned.schedule.text(), Instant.ofEpochMilli(time), why);
    }
  }

  /** Of these schedules, those that there are. */
  List<ScheduleStatus> describe(String function, Collection<Schedule> schedules) {
    return schedules.stream()
        .map(schedule -> all.get(ScheduleRecord.key(function, schedule)))
        .filter(planned -> planned != null)
        .map(this::describe)
        .toList();
  }

  private ScheduleStatus describe(Planned planned) {
    if (planned.lookAt == Long.MIN_VALUE
        && planned.position != Planned.UNKNOWN
        && (trusted || !planned.isCron())) {
      planned.next = times.next(planned.schedule, planned.position);
    }
    return new ScheduleStatus(
        planned.schedule,
        state(planned),
        planned.last.map(Instant::ofEpochMilli),
        planned.next == Times.NEVER
            ? Optional.empty()
            : Optional.of(Instant.ofEpochMilli(planned.next)));
  }

  private State state(Planned planned) {
    if (planned.isCron() && !trusted) {
      return State.WAITING_FOR_CLOCK;
    } else if (planned.refused != Planned.UNKNOWN) {
      return State.REFUSED;
    } else if (planned.call.filter(calls::isUnfinished).isPresent()) {
      return State.RUNNING;
    }
    return State.WAITING;
  }
}
