package io.tinyfaas.manager.reconcile;

import io.tinyfaas.manager.handler.HandlerContainer;

/** What a handler comes to that has died again and again: nothing starts it for a minute. */
public final class LongBackOff {

  private static final int STARTS = 10;

  private LongBackOff() {}

  public static void give(HandlerMonitor monitor, HandlerContainer handler) {
    for (int start = 0; start < STARTS; start++) {
      monitor.of(handler).restarted();
    }
  }
}
