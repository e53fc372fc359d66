package io.tinyfaas.gateway.loop;

import io.netty.channel.EventLoop;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jboss.logging.Logger;

/**
 * Work of many equal pieces, a few in each turn of the event loop: a thousand notifications at once
 * would keep all requests waiting, and first of all the answer to the one that caused them. On the
 * event loop.
 */
public final class Turns<T> {

  private static final BugLog BUGS =
      new BugLog(Logger.getLogger(Turns.class), "notification-failed");

  /** About a millisecond's work. */
  static final int PIECES = 32;

  private static final long PAUSE_MILLIS = 1;

  private final Set<T> due = new LinkedHashSet<>();
  private final EventLoop loop;
  private final Consumer<T> worker;
  private boolean going;

  public Turns(EventLoop loop, Consumer<T> worker) {
    this.loop = loop;
    this.worker = worker;
  }

  /** What is due already is not due twice. */
  public void add(Collection<T> pieces) {
    due.addAll(pieces);
    if (!going && !due.isEmpty()) {
      going = true;
      loop.execute(this::turn);
    }
  }

  private void turn() {
    for (int i = 0; i < PIECES && !due.isEmpty(); i++) {
      Iterator<T> next = due.iterator();
      T piece = next.next();
      next.remove();
      BUGS.guard(() -> worker.accept(piece));
    }
    going = !due.isEmpty();
    if (going) {
      // By time, since Netty would run it in the same turn otherwise.
      loop.schedule(this::turn, PAUSE_MILLIS, TimeUnit.MILLISECONDS);
    }
  }
}
