package io.tinyfaas.manager.control;

import io.tinyfaas.contract.control.GatewayStatus;
import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.manager.store.EpochFile;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jboss.logging.Logger;

/**
 * Brings a table to the gateway: sends it again until the gateway has confirmed it. So a broker
 * that was away, forgot what it retained, or brought back something old needs no case of its own.
 *
 * <p>Its lock guards what the table is made of, too: {@link Table} is asked with the lock held.
 */
public final class ConfirmedTable {

  private static final Logger LOG = Logger.getLogger(ConfirmedTable.class);
  private static final Duration RESEND_INTERVAL = Duration.ofSeconds(1);

  /** What is sent, and what the gateway says of it. */
  public interface Table {

    byte[] encode(Revision revision);

    /** Called before anything of a new epoch is sent. */
    default void beginsLife(long epoch) {}

    /** What it said last. */
    GatewayStatus gateway();

    /** The revision of this table that the gateway applies. */
    Revision confirmedBy(GatewayStatus gateway);

    /** Whether it is sent again while the gateway is away, for the broker to have it. */
    boolean isSentWithoutGateway();
  }

  private final String name;
  private final EpochFile epochs;
  private final Emitter<byte[]> channel;
  private final Table table;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Guarded by {@link #lock}, as all below. */
  private Revision revision = Revision.NONE;

  private long lastSent = System.nanoTime();
  private boolean stopping;

  /** Completes when the broker has what was sent last. */
  private CompletableFuture<Void> sending = CompletableFuture.completedFuture(null);

  /** What all that came meanwhile wait for; null if nothing did. */
  private CompletableFuture<Void> next;

  /**
   * @param name for the log
   */
  public ConfirmedTable(String name, EpochFile epochs, Emitter<byte[]> channel, Table table) {
    this.name = name;
    this.epochs = epochs;
    this.channel = channel;
    this.table = table;
  }

  /** Begins to send; before, nothing is. */
  public void open() {
    locked(this::beginLife);
    Thread.ofVirtual().name(name + "-resend").start(this::resendUntilConfirmed);
  }

  /** Ends the thread that sends again. */
  public void stop() {
    locked(
        () -> {
          stopping = true;
          changed.signalAll();
        });
  }

  public boolean isOpen() {
    return locked(() -> revision.epoch() > 0);
  }

  public Revision revision() {
    return locked(() -> revision);
  }

  /**
   * Sends what the table is after a change.
   *
   * @param change says whether it changed anything
   * @return the revision that has it
   */
  public Revision change(BooleanSupplier change) {
    return locked(
        () -> {
          if (change.getAsBoolean() && isOpen()) {
            revision = new Revision(revision.epoch(), revision.number() + 1);
            send();
          }
          return revision;
        });
  }

  /**
   * Sends the table, one at a time: what is asked for while the broker has not taken the one before
   * goes out with it together, as the table is then. The client refuses more than it may have under
   * way.
   *
   * @return completes when the broker has it
   */
  public CompletableFuture<Void> send() {
    return locked(
        () -> {
          if (sending.isDone()) {
            CompletableFuture<Void> sent = new CompletableFuture<>();
            send(sent);
            return sent;
          }
          if (next == null) {
            next = new CompletableFuture<>();
          }
          return next;
        });
  }

  private void send(CompletableFuture<Void> sent) {
    lastSent = System.nanoTime();
    channel.send(
        Message.of(
            table.encode(revision),
            () -> {
              sent.complete(null);
              return CompletableFuture.completedFuture(null);
            },
            failure -> {
              sent.completeExceptionally(failure);
              return CompletableFuture.completedFuture(null);
            }));
    sending = sent;
    // The client's own thread tells, and has no time for a large table.
    sent.whenCompleteAsync(
        (taken, failure) -> locked(this::sendNext), task -> Thread.ofVirtual().start(task));
  }

  private void sendNext() {
    if (next == null || !sending.isDone()) {
      return;
    }
    CompletableFuture<Void> sent = next;
    next = null;
    try {
      send(sent);
    } catch (RuntimeException e) {
      sent.completeExceptionally(e); // it is sent again in a second, and says why it cannot be
    }
  }

  /** To be called when {@link Table#gateway} has. */
  public void gatewayChanged() {
    locked(
        () -> {
          if (isOpen() && confirmed().isNewerThan(revision)) {
            // A store that was lost, or a clock turned back: whatever the gateway has, ours is
            // newer.
            beginLife();
          } else if (isOpen() && isMissing() && table.gateway().online()) {
            send();
          }
          changed.signalAll();
        });
  }

  /** Whether the gateway applies this revision or a later one. */
  public boolean isApplied(Revision wanted) {
    return locked(() -> table.gateway().online() && !wanted.isNewerThan(confirmed()));
  }

  /**
   * @return false if the gateway has not said within this time that it applies this revision or a
   *     later one
   */
  public boolean awaitApplied(Revision wanted, Duration atMost) {
    return await(() -> isApplied(wanted), atMost);
  }

  /**
   * @param condition asked at each change of the gateway's status
   * @return false if it does not hold within this time
   */
  public boolean await(BooleanSupplier condition, Duration atMost) {
    long left = atMost.toNanos();
    lock.lock();
    try {
      while (!condition.getAsBoolean()) {
        if (left <= 0) {
          return false;
        }
        left = changed.awaitNanos(left);
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
  }

  public void locked(Runnable change) {
    lock.lock();
    try {
      change.run();
    } finally {
      lock.unlock();
    }
  }

  public <T> T locked(Supplier<T> question) {
    lock.lock();
    try {
      return question.get();
    } finally {
      lock.unlock();
    }
  }

  private Revision confirmed() {
    return table.confirmedBy(table.gateway());
  }

  private boolean isMissing() {
    return revision.isNewerThan(confirmed());
  }

  private void beginLife() {
    revision = new Revision(epochs.next(confirmed().epoch() + 1), 1);
    table.beginsLife(revision.epoch());
    send();
    LOG.infof("event=%s-opened revision=%s", name, revision);
  }

  private void resendUntilConfirmed() {
    while (!await(() -> stopping, RESEND_INTERVAL)) {
      try {
        locked(this::sendAgain);
      } catch (RuntimeException e) {
        // Once more in a second: the gateway would never hear of what has changed.
        if (!locked(() -> stopping)) {
          LOG.errorf(e, "event=%s-not-sent", name);
        }
      }
    }
  }

  private void sendAgain() {
    if (!stopping
        && System.nanoTime() - lastSent >= RESEND_INTERVAL.toNanos()
        && (table.isSentWithoutGateway() || table.gateway().online())
        && isMissing()) {
      send();
    }
  }
}
