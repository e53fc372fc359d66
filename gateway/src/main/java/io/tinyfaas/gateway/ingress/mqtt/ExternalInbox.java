package io.tinyfaas.gateway.ingress.mqtt;

import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.Holder;
import io.vertx.core.Future;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Set;

/**
 * Messages that came by one connection to an external broker. Each is acknowledged once it is
 * taken, in the order in which they came (MQTT 5, 4.6). What is refused for now stays here, and is
 * tried again with all that came after it; as nothing is acknowledged meanwhile, the broker soon
 * sends no more. On the invocation loop.
 */
final class ExternalInbox {

  /** Beyond it nothing more is read, whatever the broker was told. */
  static final int MAX = 2 * ExternalPackets.RECEIVE_MAXIMUM;

  private static final long FIRST_RETRY_MILLIS = 1_000;
  private static final long LAST_RETRY_MILLIS = 30_000;

  /** What becomes of a message. */
  sealed interface Outcome {

    /** It is on disk, or nobody is for it. */
    record Taken() implements Outcome {}

    /** It would be refused however often it came. */
    record NeverTaken(String why) implements Outcome {}

    /** There is no room for it. */
    record NotNow(String why) implements Outcome {}
  }

  /** The connection that it is of. */
  interface Line {

    /** Never fails; completes on the loop. */
    Future<Outcome> take(Incoming message);

    void acknowledge(Incoming message, boolean taken);

    void later(long millis, Runnable task);

    /** There is no room since now. */
    void stuck(String why);

    /** All that had no room has been taken. */
    void unstuck();
  }

  /** One message. */
  static final class Incoming {
    private final Publication publication;
    private final int packetId;
    private final Set<Integer> subscriptions;
    private final long bytes;
    private boolean ended;
    private boolean taken;
    private boolean waits;

    /**
     * @param packetId 0 with QoS 0
     * @param subscriptions by which it comes; empty if that is not known
     */
    Incoming(Publication publication, int packetId, Set<Integer> subscriptions) {
      this.publication = publication;
      this.packetId = packetId;
      this.subscriptions = subscriptions;
      this.bytes = BodyMemory.ofInvocation(publication.body().length);
    }

    Publication publication() {
      return publication;
    }

    int packetId() {
      return packetId;
    }

    Set<Integer> subscriptions() {
      return subscriptions;
    }
  }

  private final Line line;
  private final BodyMemory memory;
  private final Holder holder;
  private final ArrayDeque<Incoming> unacknowledged = new ArrayDeque<>();
  private long retryMillis = FIRST_RETRY_MILLIS;
  private boolean blocked;
  private boolean closed;

  ExternalInbox(Line line, BodyMemory memory, Holder holder) {
    this.line = line;
    this.memory = memory;
    this.holder = holder;
  }

  boolean isFull() {
    return unacknowledged.size() >= MAX;
  }

  /**
   * @return false if there is no memory for it: it has to come again
   */
  boolean add(Incoming message) {
    if (!memory.take(message.bytes, holder)) {
      return false;
    }
    unacknowledged.add(message);
    if (blocked) {
      message.waits = true;
    } else {
      offer(message);
    }
    return true;
  }

  private void offer(Incoming message) {
    line.take(message).onSuccess(outcome -> settle(message, outcome));
  }

  private void settle(Incoming message, Outcome outcome) {
    if (closed) {
      return;
    }
    switch (outcome) {
      case Outcome.Taken _ -> end(message, true);
      case Outcome.NeverTaken _ -> end(message, false);
      case Outcome.NotNow(String why) -> {
        message.waits = true;
        block(why);
      }
    }
  }

  private void end(Incoming message, boolean taken) {
    message.ended = true;
    message.taken = taken;
    while (!unacknowledged.isEmpty() && unacknowledged.getFirst().ended) {
      Incoming first = unacknowledged.removeFirst();
      memory.give(first.bytes, holder);
      line.acknowledge(first, first.taken);
    }
    if (!blocked
        && retryMillis > FIRST_RETRY_MILLIS
        && unacknowledged.stream().noneMatch(each -> each.waits)) {
      retryMillis = FIRST_RETRY_MILLIS;
      line.unstuck();
    }
  }

  private void block(String why) {
    if (blocked) {
      return;
    }
    blocked = true;
    if (retryMillis == FIRST_RETRY_MILLIS) {
      line.stuck(why);
    }
    line.later(retryMillis, this::retry);
    retryMillis = Math.min(2 * retryMillis, LAST_RETRY_MILLIS);
  }

  private void retry() {
    if (closed) {
      return;
    }
    blocked = false;
    List<Incoming> waiting = unacknowledged.stream().filter(each -> each.waits).toList();
    for (Incoming message : waiting) {
      if (blocked) {
        return; // so that what came later does not go before
      }
      message.waits = false;
      offer(message);
    }
  }

  /** The connection has ended: what is not acknowledged comes again. */
  void close() {
    closed = true;
    unacknowledged.forEach(message -> memory.give(message.bytes, holder));
    unacknowledged.clear();
  }
}
