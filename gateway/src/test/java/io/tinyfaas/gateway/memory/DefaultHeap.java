package io.tinyfaas.gateway.memory;

import io.tinyfaas.gateway.Settings;

/** Memory as a gateway has it with its settings as they come. */
public final class DefaultHeap {

  /** What Java gives of 90m; of the young part one half of the survivors is always empty. */
  static final long BYTES = 88L << 20;

  private DefaultHeap() {}

  static HeapBudget budget() {
    return budget(BYTES);
  }

  static HeapBudget budget(long heap) {
    return new HeapBudget(heap, Settings.with(HeapSettings.class, "tinyfaas.max-body", "1M"));
  }

  public static TableMemory tables() {
    return new TableMemory(budget(), new BodyMemory(budget().invocations()));
  }
}
