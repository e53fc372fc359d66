package io.tinyfaas.gateway.ingress.coap.peer;

import io.netty.util.concurrent.Promise;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * What the gateway knows of one address that datagrams come from. Until the address is verified it
 * gets no more than three times the bytes that came from it, whatever they are (RFC 9175, 2.4, item
 * 3): anyone can write another's address on a datagram. It is verified when it answers a CoAP ping,
 * which every device does (RFC 7252, 4.3), or sends back an Echo option. On the event loop.
 */
public final class Peer {

  /** RFC 9175, 2.4: what QUIC has, too. */
  private static final int AMPLIFICATION = 3;

  /** A device that has sent much has no right to be sent much later. */
  private static final int MAX_CREDIT_BYTES = 16 * 1_024;

  /** Once per peer would do (RFC 9175, 2.4); addresses do change hands. */
  private static final long VERIFIED_NANOS = TimeUnit.HOURS.toNanos(24);

  /** How long a ping is waited for, and the next one may follow. */
  private static final long PING_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** A message ID has 16 bits; whoever does not see the ping has to guess it. */
  private static final int MAX_GUESSES = 3;

  private static final int MAX_WAITING = 16;
  private static final int NO_PING = -1;

  private final boolean trusted;
  private final TransferShare transfers;
  private final List<Promise<Void>> waiting = new ArrayList<>(0);
  private boolean verified;
  private long verifiedNanos;
  private int credit;
  private int ping = NO_PING;
  private long pingNanos;
  private int guesses;

  /**
   * @param trusted if its address cannot be another's
   */
  Peer(boolean trusted, TransferShare transfers) {
    this.trusted = trusted;
    this.transfers = transfers;
  }

  public boolean isVerified() {
    if (verified && System.nanoTime() - verifiedNanos > VERIFIED_NANOS) {
      verified = false;
    }
    return trusted || verified;
  }

  public void verify() {
    verified = true;
    verifiedNanos = System.nanoTime();
    ping = NO_PING;
    List<Promise<Void>> told = List.copyOf(waiting);
    waiting.clear();
    told.forEach(promise -> promise.trySuccess(null));
  }

  public void received(int bytes) {
    if (!isVerified()) {
      credit = Math.min(credit + AMPLIFICATION * bytes, MAX_CREDIT_BYTES);
    }
  }

  /** The bytes that may be sent to it. */
  public int credit() {
    return isVerified() ? Integer.MAX_VALUE : credit;
  }

  /**
   * @return false if so many bytes must not be sent to it
   */
  public boolean spend(int bytes) {
    if (isVerified()) {
      return true;
    }
    if (credit < bytes) {
      return false;
    }
    credit -= bytes;
    return true;
  }

  /**
   * @return the message ID to ping it with; negative if it has to be left alone for now
   */
  public int nextPing() {
    long now = System.nanoTime();
    if (ping == NO_PING || now - pingNanos > PING_NANOS) {
      ping = ThreadLocalRandom.current().nextInt(1 << 16);
      pingNanos = now;
      guesses = 0;
    }
    return guesses < MAX_GUESSES ? ping : NO_PING;
  }

  /**
   * @return whether it was the answer to a ping
   */
  public boolean reset(int mid) {
    if (ping == NO_PING || guesses >= MAX_GUESSES) {
      return false;
    }
    if (mid != ping || System.nanoTime() - pingNanos > PING_NANOS) {
      guesses++;
      return false;
    }
    verify();
    return true;
  }

  /**
   * @return false if too many wait for it already
   */
  public boolean await(Promise<Void> promise) {
    if (waiting.size() >= MAX_WAITING) {
      return false;
    }
    waiting.add(promise);
    promise.addListener(done -> waiting.remove(promise));
    return true;
  }

  public TransferShare transfers() {
    return transfers;
  }
}
