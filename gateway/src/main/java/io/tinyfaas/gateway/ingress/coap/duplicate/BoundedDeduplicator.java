package io.tinyfaas.gateway.ingress.coap.duplicate;

import io.tinyfaas.gateway.ingress.coap.message.CoapRequests;
import io.tinyfaas.gateway.ingress.coap.socket.PeerContext;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.network.Exchange;
import org.eclipse.californium.core.network.KeyMID;
import org.eclipse.californium.core.network.deduplication.Deduplicator;

/**
 * Remembers the last 8 messages of each device, as Californium's {@code PEERS_MARK_AND_SWEEP} does,
 * but not of any number of devices: about 2 KB per message would end a small heap from 1,500
 * devices on, and UDP lets anyone pretend to be many. When there are more devices than room, each
 * has fewer messages remembered, down to its last, first those that share an address with many;
 * beyond that the devices silent for longest are forgotten. A message whose answer is forgotten is
 * still known ({@link SpentMessages}): it is not run again, unless it is a GET or FETCH.
 */
public final class BoundedDeduplicator implements Deduplicator {

  private static final int PER_PEER = 8;

  private static final long LIFETIME_NANOS = TimeUnit.SECONDS.toNanos(RecentPeers.LIFETIME_SECONDS);

  /** Of a message that is remembered with its answer, and of two pages of those that are known. */
  private static final long MESSAGE_BYTES = 3 * 1_024;

  /** Of messages that are known, for each that is remembered. */
  private static final int SPENT_PAGES = 2;

  private record Seen(int mid, Exchange exchange, long nanos) {}

  /** The peer silent for longest first; guarded by this. */
  private final RecentPeers<Object, ArrayDeque<Seen>> peers;

  private final SpentMessages spent;
  private final int max;

  /** As {@link System#nanoTime}. */
  private final LongSupplier clock;

  private int size;

  /**
   * @param bytes of the heap that it may take
   * @param isProved whether a peer receives where it sends from
   */
  public static BoundedDeduplicator ofBytes(long bytes, Predicate<Object> isProved) {
    return new BoundedDeduplicator(
        Math.toIntExact(bytes / MESSAGE_BYTES), isProved, System::nanoTime);
  }

  /**
   * @param maxMessages that are remembered with their answers
   */
  BoundedDeduplicator(int maxMessages, Predicate<Object> isProved, LongSupplier clock) {
    this.max = maxMessages;
    this.peers = new RecentPeers<>(isProved);
    this.clock = clock;
    this.spent = new SpentMessages(SPENT_PAGES * maxMessages, isProved);
  }

  @Override
  public synchronized Exchange findPrevious(KeyMID key, Exchange exchange) {
    Exchange previous = find(key);
    if (previous != null) {
      return previous;
    }
    Request request = exchange.getRequest();
    boolean begun = request.getSourceContext() instanceof PeerContext context && context.hasBegun();
    byte[] message = request.getBytes();
    if (!begun
        && message != null
        && isSpent(key.getPeer(), key.getMID(), message, request.getCode())) {
      return exchange; // its own duplicate: neither run nor answered
    }
    add(key, exchange);
    return null;
  }

  /** Whether there is an exchange of that message. */
  public synchronized boolean knows(Object peer, int mid) {
    return peers.has(peer) && find(new KeyMID(mid, peer)) != null;
  }

  /**
   * Notes a new message, and says whether it was here before and may not be run again: what has no
   * effect may be done again if the answer is forgotten (RFC 7252, 4.5).
   */
  public synchronized boolean isSpent(Object peer, int mid, byte[] message, Code method) {
    return spent.add(peer, mid, message, clock.getAsLong()) && !CoapRequests.isSafe(method);
  }

  @Override
  public synchronized boolean replacePrevious(KeyMID key, Exchange previous, Exchange exchange) {
    Exchange current = find(key);
    if (current != null && current != previous) {
      return false;
    }
    ArrayDeque<Seen> seen = peers.get(key.getPeer());
    if (current != null && seen.removeIf(message -> message.exchange() == previous)) {
      size--;
    }
    add(key, exchange);
    return true;
  }

  @Override
  public synchronized Exchange find(KeyMID key) {
    ArrayDeque<Seen> seen = peers.get(key.getPeer());
    if (seen == null) {
      return null;
    }
    long now = clock.getAsLong();
    while (!seen.isEmpty() && now - seen.peekFirst().nanos() > LIFETIME_NANOS) {
      forgetFirst(seen);
    }
    if (seen.isEmpty()) {
      peers.remove(key.getPeer());
      return null;
    }
    for (Seen message : seen) {
      if (message.mid() == key.getMID()) {
        return message.exchange();
      }
    }
    return null;
  }

  private void add(KeyMID key, Exchange exchange) {
    ArrayDeque<Seen> seen = peers.of(key.getPeer(), () -> new ArrayDeque<>(PER_PEER / 2));
    long now = clock.getAsLong();
    // Else those that are gone would count for ever where the others' shares are worked out.
    peers.forgetWhile(
        eldest -> eldest != seen && now - eldest.peekLast().nanos() > LIFETIME_NANOS, this::forget);
    int quota = peers.quota(key.getPeer(), max, PER_PEER);
    while (seen.size() >= quota) {
      forgetFirst(seen);
    }
    seen.addLast(new Seen(key.getMID(), exchange, now));
    size++;
    while (size > max) {
      forget(peers.eldestFor(key.getPeer()));
    }
  }

  private void forget(Map.Entry<Object, ArrayDeque<Seen>> peer) {
    size -= peer.getValue().size();
    peers.remove(peer.getKey());
  }

  private void forgetFirst(ArrayDeque<Seen> seen) {
    seen.removeFirst();
    size--;
  }

  @Override
  public synchronized boolean isEmpty() {
    return size == 0;
  }

  @Override
  public synchronized int size() {
    return size;
  }

  @Override
  public synchronized void clear() {
    spent.clear();
    peers.clear();
    size = 0;
  }

  /** Of whom messages are remembered. */
  synchronized int peers() {
    return peers.size();
  }

  /** It needs no thread: what is too old is forgotten when its place is needed. */
  @Override
  public void setExecutor(ScheduledExecutorService executor) {}

  @Override
  public void start() {}

  @Override
  public void stop() {
    clear();
  }
}
