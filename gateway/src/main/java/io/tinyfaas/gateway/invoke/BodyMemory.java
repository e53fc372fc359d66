package io.tinyfaas.gateway.invoke;

import io.tinyfaas.gateway.GatewayConfig;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The heap that bodies may take, all together: a third of it, or four of the largest bodies where
 * that is more. Whoever holds bytes of a body counts them here first; when nothing is left, devices
 * are told to come back, and the gateway lives.
 */
@Singleton
public final class BodyMemory {

  private static final int HEAP_FRACTION = 3;
  private static final int BODIES = 4;

  private final long size;
  private final AtomicLong free;

  @Inject
  BodyMemory(GatewayConfig config) {
    this(
        Math.max(
            Runtime.getRuntime().maxMemory() / HEAP_FRACTION,
            BODIES * config.maxBody().asLongValue()));
  }

  public BodyMemory(long bytes) {
    this.size = bytes;
    this.free = new AtomicLong(bytes);
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
