package io.tinyfaas.gateway.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** What a journal handed over when it was opened, as text. */
final class Records extends TreeMap<Long, String> implements Journal.Visitor {

  private static final long serialVersionUID = 1;

  @Override
  public void record(long key, ByteBuffer value) {
    put(key, StandardCharsets.ISO_8859_1.decode(value).toString());
  }

  /** Of a folder that nobody has open. */
  static Records in(Path folder) throws IOException {
    Records records = new Records();
    Journal.open(folder, 1 << 20, records).close();
    return records;
  }

  static Journal open(Path folder, JournalLimits limits, Records records) throws IOException {
    Journal journal = Journal.opened(folder, limits, records);
    journal.start();
    return journal;
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  static Batch batch(long key, String value) {
    return new Batch().put(key, bytes(value));
  }

  /** The failure itself, if it failed. */
  static <T> T await(CompletableFuture<T> future) throws Exception {
    try {
      return future.get(5, TimeUnit.MINUTES);
    } catch (ExecutionException e) {
      throw (Exception) e.getCause();
    }
  }
}
