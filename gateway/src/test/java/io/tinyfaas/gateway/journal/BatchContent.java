package io.tinyfaas.gateway.journal;

import java.util.Map;

/** What a batch does, for tests of those who write them. */
public final class BatchContent {

  private BatchContent() {}

  public static void apply(Batch batch, Map<Long, byte[]> to) {
    for (Batch.Entry entry : batch.entries()) {
      if (entry.value() == null) {
        to.remove(entry.key());
      } else {
        to.put(entry.key(), entry.value());
      }
    }
  }
}
