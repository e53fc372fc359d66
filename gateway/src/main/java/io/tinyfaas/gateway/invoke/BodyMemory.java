package io.tinyfaas.gateway.invoke;

import io.vertx.core.MultiMap;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory that bodies and the invocations they belong to may take, all together: a third of the
 * heap. Whoever holds bytes of a body counts them here first; when nothing is left, devices are
 * told to come back, and the gateway lives.
 *
 * <p>The largest body is a fifth of that. An invocation counts up to four of it, so that one always
 * passes where no others are: its request twice (as it came, and as the kernel takes it), and its
 * answer twice (while the array that it is read into grows, or as it came and as the kernel takes
 * it). What is copied within a turn of the loop is not counted, which is another one. A fifth of
 * the heap is for messages and results that are remembered, and what is left for all the rest.
 */
@Singleton
public final class BodyMemory {

  private static final int HEAP_FRACTION = 3;
  private static final int LARGEST_FRACTION = 5;
  private static final int REQUEST_COPIES = 2;

  /** Measured, with 3,900 that had waited for long enough to be Californium's (ADR 24). */
  private static final int INVOCATION_BYTES = 3 * 1_024;

  /** What is there of a header besides its letters: measured, with 1,000 heads of 86. */
  private static final int HEADER_BYTES = 140;

  /** As many as most invocations have are in {@link #INVOCATION_BYTES}. */
  private static final int USUAL_HEADERS_BYTES = 1_536;

  private static final int HEADERS_COPIES = 2;

  private final long size;
  private final AtomicLong free;

  @Inject
  BodyMemory() {
    this(Runtime.getRuntime().maxMemory() / HEAP_FRACTION);
  }

  public BodyMemory(long bytes) {
    this.size = bytes;
    this.free = new AtomicLong(bytes);
  }

  /**
   * The largest body for which such a heap is large enough.
   *
   * @param heap in bytes, as {@link Runtime#maxMemory} has it
   */
  public static long largestBody(long heap) {
    return heap / HEAP_FRACTION / LARGEST_FRACTION;
  }

  /**
   * The heap in bytes, as {@link Runtime#maxMemory} has it, that is large enough for such a body.
   */
  public static long heapFor(long body) {
    return HEAP_FRACTION * LARGEST_FRACTION * body;
  }

  /** What an invocation counts until its answer comes: its body is there twice while it is sent. */
  public static long ofInvocation(int body) {
    return INVOCATION_BYTES + REQUEST_COPIES * (long) body;
  }

  /** The same, with what it has of headers beyond the usual: as they came, and for its handler. */
  static long of(Invocation invocation) {
    return ofInvocation(invocation.body().length)
        + HEADERS_COPIES * Math.max(0, ofHeaders(invocation.headers()) - USUAL_HEADERS_BYTES);
  }

  /**
   * What headers take of which this is known only.
   *
   * @param letters of names and values, in bytes
   */
  public static long ofHeaders(int headers, long letters) {
    return (long) HEADER_BYTES * headers + letters;
  }

  /** What headers take that are held. */
  public static long ofHeaders(MultiMap headers) {
    long bytes = 0;
    for (Map.Entry<String, String> header : headers) {
      bytes += HEADER_BYTES + header.getKey().length() + header.getValue().length();
    }
    return bytes;
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
}
