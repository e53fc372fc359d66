package io.tinyfaas.gateway.memory;

import io.vertx.core.MultiMap;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory that bodies and the invocations they belong to may take, all together: what {@link
 * HeapBudget} leaves to them. Whoever holds bytes of a body counts them here first; when nothing is
 * left, devices are told to come back, and the gateway lives.
 *
 * <p>Nobody gets more who holds much of what is left: no address that holds as much as that, and no
 * function that holds three times as much. So one address alone can have nearly half, two a third
 * each, and there is always something for those who hold little. An eighth is for addresses that
 * hold nothing: a device with one request at a time is let in, however many others there are. What
 * follows from what has been let in, above all the answer of a function that has run, may take
 * more, so that it was not for nothing; but a quarter of that eighth only where the address still
 * holds no more than a small request and its answer.
 *
 * <p>An invocation counts up to four of its body: its request twice (as it came, and as the kernel
 * takes it), and its answer twice (while the array that it is read into grows, or as it came and as
 * the kernel takes it).
 */
@Singleton
public final class BodyMemory {

  /** Of what is left, as much as a function may hold and still get more. */
  private static final int TIMES_LEFT = 3;

  private static final int TIMES_LEFT_FOR_MORE = 15;
  private static final int NEWCOMERS_FRACTION = 8;
  private static final int SMALL_ONLY_FRACTION = 32;

  /** What is small: 14 KB with the heap as it comes. */
  private static final int SMALL_FRACTION = 1_024;

  private static final int REQUEST_COPIES = 2;

  /** Measured, with 3,900 that had waited for long enough to be Californium's (ADR 24). */
  private static final int INVOCATION_BYTES = 3 * 1_024;

  /** What is there of a header besides its letters: measured, with 1,000 heads of 86. */
  private static final int HEADER_BYTES = 140;

  /** As many as most invocations have are in {@link #INVOCATION_BYTES}. */
  private static final int USUAL_HEADERS_BYTES = 1_536;

  private static final int HEADERS_COPIES = 2;

  /** Of an answer. */
  private static final int USUAL_HEADERS = 16;

  private volatile long size;
  private final AtomicLong free;

  @Inject
  BodyMemory(HeapBudget budget) {
    this(budget.invocations());
  }

  public BodyMemory(long bytes) {
    this.size = bytes;
    this.free = new AtomicLong(bytes);
  }

  /** What an invocation counts until its answer comes: its body is there twice while it is sent. */
  public static long ofInvocation(int body) {
    return INVOCATION_BYTES + REQUEST_COPIES * (long) body;
  }

  /** The same, with what it has of headers beyond the usual: as they came, and for its handler. */
  public static long ofInvocation(int body, MultiMap headers) {
    return ofInvocation(body)
        + HEADERS_COPIES * Math.max(0, ofHeaders(headers) - USUAL_HEADERS_BYTES);
  }

  /**
   * What headers take of which this is known only.
   *
   * @param letters of names and values, in bytes
   */
  public static long ofHeaders(int headers, long letters) {
    return (long) HEADER_BYTES * headers + letters;
  }

  /** What headers take where they are more than what holds them counts for already; else 0. */
  public static long ofManyHeaders(MultiMap headers) {
    int count = 0;
    for (Iterator<?> each = headers.iterator(); each.hasNext(); each.next()) {
      if (++count > USUAL_HEADERS) {
        return ofHeaders(headers);
      }
    }
    return 0;
  }

  /** What headers take that are held. */
  public static long ofHeaders(MultiMap headers) {
    long bytes = 0;
    for (Map.Entry<String, String> header : headers) {
      bytes += HEADER_BYTES + header.getKey().length() + header.getValue().length();
    }
    return bytes;
  }

  /**
   * So much less is there from now on, though those who hold it may have to end first; more, if it
   * is negative. On any thread.
   *
   * @param least what there has to be
   * @return false if that would be less; nothing is changed then
   */
  synchronized boolean shrink(long bytes, long least) {
    if (bytes > 0 && size - bytes < least) {
      return false;
    }
    size -= bytes;
    free.addAndGet(-bytes);
    return true;
  }

  /** In bytes, all of it. */
  public long size() {
    return size;
  }

  /**
   * @return false if there is not so much left; nothing is taken then
   */
  public boolean take(long bytes) {
    if (free.addAndGet(-bytes) >= 0) {
      return true;
    }
    free.addAndGet(bytes);
    return false;
  }

  public void give(long bytes) {
    free.addAndGet(bytes);
  }

  /**
   * For a new invocation. On the event loop, as all that follows.
   *
   * @return false if there is not so much left, or if one of them holds too much; nothing is taken
   *     then
   */
  public boolean take(long bytes, Holder peer, Holder function) {
    if (function.bytes() > TIMES_LEFT * left(peer) || !take(bytes, peer)) {
      return false;
    }
    function.add(bytes);
    return true;
  }

  /** For a body that comes, or what else is no invocation yet. */
  public boolean take(long bytes, Holder peer) {
    long left = left(peer);
    return bytes <= left && peer.bytes() <= left && taken(bytes, peer);
  }

  private long left(Holder peer) {
    return peer.bytes() == 0 ? free.get() : free.get() - size / NEWCOMERS_FRACTION;
  }

  /** For what follows from what has been let in, as the answer of a function that has run. */
  public boolean takeMore(long bytes, Holder peer, Holder function) {
    if (function.bytes() > TIMES_LEFT_FOR_MORE * free.get() || !takeMore(bytes, peer)) {
      return false;
    }
    function.add(bytes);
    return true;
  }

  /** The same for what belongs to no function any more. */
  public boolean takeMore(long bytes, Holder peer) {
    boolean small = peer.bytes() + bytes <= size / SMALL_FRACTION;
    long left = small ? free.get() : free.get() - size / SMALL_ONLY_FRACTION;
    return bytes <= left && peer.bytes() <= TIMES_LEFT_FOR_MORE * free.get() && taken(bytes, peer);
  }

  private boolean taken(long bytes, Holder peer) {
    if (!take(bytes)) {
      return false;
    }
    peer.add(bytes);
    return true;
  }

  public void give(long bytes, Holder peer, Holder function) {
    function.add(-bytes);
    give(bytes, peer);
  }

  public void give(long bytes, Holder peer) {
    peer.add(-bytes);
    give(bytes);
  }
}
