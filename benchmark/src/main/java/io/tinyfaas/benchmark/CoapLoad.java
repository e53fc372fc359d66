package io.tinyfaas.benchmark;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * CoAP clients over UDP, one socket each, all on the calling thread: on a box that also runs what
 * is measured, a second thread would take more from it than it gives to the clients.
 */
final class CoapLoad implements Load {

  /** How often clients are looked through for requests that are over time, in milliseconds. */
  private static final long TICK = 5;

  /** Larger than any datagram of CoAP without block-wise transfer (RFC 7252, 4.6). */
  private static final int DATAGRAM = 2_048;

  private final URI target;
  private final Rules rules;

  /** The payload of the first answer, which all others have to have; null before it. */
  private ByteBuffer expected;

  CoapLoad(URI target, Rules rules) {
    if (target.getHost() == null) {
      throw new IllegalArgumentException(target + " names no host");
    }
    this.target = target;
    this.rules = rules;
  }

  @Override
  public Outcome run(int clients, int operations) throws IOException {
    List<CoapClient> all = new ArrayList<>(clients);
    try (Selector selector = Selector.open()) {
      for (int i = 0; i < clients; i++) {
        all.add(new CoapClient(target, rules, operations, selector));
      }
      return new Run(selector, all).call();
    } finally {
      for (CoapClient client : all) {
        client.close();
      }
    }
  }

  private final class Run {
    private final Selector selector;
    private final List<CoapClient> clients;
    private final ByteBuffer datagram = ByteBuffer.allocateDirect(DATAGRAM);
    private final Histogram latencies = Outcome.histogram();
    private final long timeout = rules.timeout().toNanos();
    private final long retransmitAfter = rules.retransmitAfter().toNanos();
    private int active;
    private long timeouts;
    private long wrongAnswers;

    Run(Selector selector, List<CoapClient> clients) {
      this.selector = selector;
      this.clients = clients;
      this.active = clients.size();
    }

    Outcome call() throws IOException {
      ThreadMXBean threads = ManagementFactory.getThreadMXBean();
      long cpu = threads.getCurrentThreadCpuTime();
      long start = System.nanoTime();
      for (CoapClient client : clients) {
        client.send(System.nanoTime());
      }
      long looked = start;
      while (active > 0) {
        selector.select(this::receive, TICK);
        long now = System.nanoTime();
        if (now - looked >= TICK * 1_000_000) {
          looked = now;
          lookAfter(now);
        }
      }
      return new Outcome(
          latencies,
          timeouts,
          wrongAnswers,
          Duration.ofNanos(System.nanoTime() - start),
          Duration.ofNanos(threads.getCurrentThreadCpuTime() - cpu));
    }

    private void receive(SelectionKey key) {
      CoapClient client = (CoapClient) key.attachment();
      try {
        CoapClient.Received received = client.receive(datagram);
        if (received == CoapClient.Received.NOTHING) {
          return;
        }
        long now = System.nanoTime();
        long latency = now - client.sentAt();
        if (latency > timeout) {
          timeouts++;
        } else if (received == CoapClient.Received.OTHER || !rules.calls() && !isExpected()) {
          wrongAnswers++;
        } else {
          latencies.recordValue(latency);
        }
        next(client, now);
      } catch (IOException e) {
        throw new IllegalStateException("a client of " + target + " failed: " + e.getMessage(), e);
      }
    }

    private boolean isExpected() {
      if (expected == null) {
        expected = ByteBuffer.allocateDirect(datagram.remaining()).put(datagram).flip();
        return true;
      }
      return expected.equals(datagram);
    }

    /** Ends what is over time, and sends again what is due for that. */
    private void lookAfter(long now) throws IOException {
      for (CoapClient client : clients) {
        if (!client.isWaiting()) {
          continue;
        }
        if (now - client.sentAt() > timeout) {
          timeouts++;
          next(client, now);
        } else if (retransmitAfter > 0) {
          client.retransmitIfDue(now, retransmitAfter);
        }
      }
    }

    private void next(CoapClient client, long now) throws IOException {
      if (!client.send(now)) {
        active--;
      }
    }
  }
}
