package io.tinyfaas.gateway.loop;

import io.netty.channel.EventLoop;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jboss.logging.Logger;

/**
 * Time limits of invocations, nearly all of which are lifted before they are over: setting and
 * lifting one is cheap, at the price of up to {@link #TICK_MILLIS} milliseconds' delay. A wheel of
 * slots, each with the timers of its ticks. On the invocation loop only.
 */
@Singleton
public final class LoopTimers {

  private static final BugLog BUGS = new BugLog(Logger.getLogger(LoopTimers.class), "timer-failed");

  static final int TICK_MILLIS = 10;

  private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS);
  private static final int SLOTS = 1_024;

  /** What is to be done when a time is up. An object of its own where there is one anyway. */
  @FunctionalInterface
  public interface Task {
    void timeUp();
  }

  /** One timer, until it goes off. */
  public final class Timer {
    private final long tick;
    private Task task;
    private Timer previous;
    private Timer next;

    private Timer(long tick, Task task) {
      this.tick = tick;
      this.task = task;
    }

    /** Does nothing if it has gone off. */
    public void cancel() {
      task = null;
      unlink();
    }

    private void linkBefore(Timer other) {
      previous = other.previous;
      next = other;
      previous.next = this;
      other.previous = this;
      running++;
    }

    private void unlink() {
      if (previous != null) {
        previous.next = next;
        next.previous = previous;
        previous = null;
        next = null;
        running--;
      }
    }

    private void goOff() {
      Task due = task;
      task = null;
      if (due != null) {
        due.timeUp();
      }
    }
  }

  private final EventLoop loop;

  /** As {@link System#nanoTime}. */
  private final LongSupplier clock;

  private final long origin;
  private final Timer[] slots = new Timer[SLOTS];
  private long done;
  private int running;
  private boolean ticking;

  @Inject
  LoopTimers(InvocationLoop loop) {
    this(loop.context().nettyEventLoop(), System::nanoTime);
  }

  LoopTimers(EventLoop loop, LongSupplier clock) {
    this.loop = loop;
    this.clock = clock;
    this.origin = clock.getAsLong();
    for (int i = 0; i < SLOTS; i++) {
      Timer end = new Timer(Long.MAX_VALUE, null);
      end.previous = end;
      end.next = end;
      slots[i] = end;
    }
  }

  /**
   * @param millis from now, at least 0
   */
  public Timer start(long millis, Task task) {
    long now = clock.getAsLong() - origin;
    if (!ticking) {
      done = now / TICK_NANOS;
      ticking = true;
      loop.schedule(this::tick, TICK_NANOS, TimeUnit.NANOSECONDS);
    }
    long due = now + TimeUnit.MILLISECONDS.toNanos(millis);
    Timer timer = new Timer(Math.max(done + 1, due / TICK_NANOS + 1), task);
    timer.linkBefore(slots[slot(timer.tick)]);
    return timer;
  }

  private void tick() {
    long tick = (clock.getAsLong() - origin) / TICK_NANOS;
    List<Timer> due = new ArrayList<>();
    for (long t = Math.max(done + 1, tick - SLOTS + 1); t <= tick; t++) {
      Timer end = slots[slot(t)];
      for (Timer timer = end.next; timer != end; ) {
        Timer following = timer.next;
        if (timer.tick <= tick) {
          timer.unlink();
          due.add(timer);
        }
        timer = following;
      }
    }
    done = tick;
    ticking = running > 0 || !due.isEmpty();
    if (ticking) {
      loop.schedule(this::tick, TICK_NANOS, TimeUnit.NANOSECONDS);
    }
    for (Timer timer : due) {
      BUGS.guard(timer::goOff); // else none of those after it would ever end
    }
  }

  private static int slot(long tick) {
    return (int) (tick & SLOTS - 1);
  }
}
