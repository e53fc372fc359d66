package io.tinyfaas.harness.flood;

import static io.tinyfaas.harness.Eventually.patient;

import java.io.Closeable;
import java.io.IOException;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** A flood that has begun. Closing ends it, and closes all its connections. */
public final class RunningFlood implements AutoCloseable {

  /** What is sent in a few seconds on a quiet machine. */
  private static final Duration SENT = Duration.ofMinutes(1);

  private static final int AT_A_TIME = 20;
  private static final int PAUSE_MILLIS = 2;

  private final int seconds;
  private final List<Thread> clients = new ArrayList<>();
  private final Set<Closeable> connections = ConcurrentHashMap.newKeySet();
  private final Map<String, LongAdder> outcomes = new ConcurrentHashMap<>();
  private final CountDownLatch end = new CountDownLatch(1);
  private final CountDownLatch started = new CountDownLatch(1);
  private CountDownLatch sending;

  RunningFlood(int seconds) {
    this.seconds = seconds;
  }

  void add(Runnable client) {
    clients.add(Thread.ofVirtual().unstarted(client));
  }

  RunningFlood begin() {
    sending = new CountDownLatch(clients.size());
    Thread.ofVirtual().start(this::startClients);
    Thread.ofVirtual()
        .start(
            () -> {
              awaitEnd(TimeUnit.SECONDS.toMillis(seconds));
              end();
            });
    return this;
  }

  /** Some at a time, so that what they send at first is not lost on its way. */
  private void startClients() {
    for (int i = 0; i < clients.size(); i++) {
      clients.get(i).start();
      if ((i + 1) % AT_A_TIME == 0) {
        awaitEnd(PAUSE_MILLIS);
      }
    }
    started.countDown();
  }

  /** Each client has sent all that it sends at first, or as much as was taken. */
  public RunningFlood awaitSent() {
    try {
      if (!sending.await(patient(SENT).toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError(sending.getCount() + " still send; " + this);
      }
      return this;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** What came of it so far, and how often: statuses, and what each protocol's flood says. */
  public Map<String, Long> outcomes() {
    Map<String, Long> all = new TreeMap<>();
    outcomes.forEach((outcome, times) -> all.put(outcome, times.sum()));
    return all;
  }

  /** How often this came of it. */
  public long outcome(String outcome) {
    return outcomes().getOrDefault(outcome, 0L);
  }

  /** Whether each client has ended, or had to. */
  public boolean hasEnded() {
    return started.getCount() == 0 && clients.stream().noneMatch(Thread::isAlive);
  }

  void sent() {
    sending.countDown();
  }

  void tell(String outcome) {
    outcomes.computeIfAbsent(outcome, first -> new LongAdder()).increment();
  }

  <C extends Closeable> C hold(C connection) throws IOException {
    connections.add(connection);
    if (isOver()) {
      release(connection);
      throw new SocketException("over");
    }
    return connection;
  }

  void release(Closeable connection) throws IOException {
    connections.remove(connection);
    connection.close();
  }

  boolean isOver() {
    return end.getCount() == 0;
  }

  /** Whether it came within this time. */
  boolean awaitEnd(long millis) {
    try {
      return end.await(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  private void end() {
    end.countDown();
    for (Closeable connection : connections) {
      try {
        release(connection);
      } catch (IOException e) {
        // It is closed.
      }
    }
  }

  @Override
  public void close() {
    end();
    try {
      started.await();
      for (Thread client : clients) {
        client.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public String toString() {
    return outcomes().toString();
  }
}
