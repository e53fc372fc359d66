package io.tinyfaas.gateway.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Writes batches of a few keys and knows what has to be there afterwards. It goes on where the
 * journal completes, on its thread, so that the same seed is the same order of everything.
 */
final class Workload {

  private static final int KEYS = 16;

  private final Random random;
  private final Map<Long, String> certain = new TreeMap<>();

  /** What waits, and what has failed since something was written: that may be there, or not. */
  private final List<Map<Long, String>> inDoubt = new ArrayList<>();

  private final Set<Map<Long, String>> failed = Collections.newSetFromMap(new IdentityHashMap<>());
  private int stamp;
  private BooleanSupplier stops;
  private CompletableFuture<Void> over;

  Workload(Random random) {
    this.random = random;
  }

  /** Until it is to stop; the journal starts with it. */
  void run(Journal journal, BooleanSupplier stops) throws Exception {
    this.stops = stops;
    over = new CompletableFuture<>();
    round(journal);
    journal.start();
    over.get(5, TimeUnit.MINUTES);
  }

  private void round(Journal journal) {
    if (stops.getAsBoolean()) {
      over.complete(null);
      return;
    }
    int batches = 1 + random.nextInt(5);
    for (int i = 0; i < batches; i++) {
      boolean isLast = i == batches - 1;
      Map<Long, String> change = change();
      Batch batch = new Batch();
      change.forEach(
          (key, value) -> {
            if (value == null) {
              batch.remove(key);
            } else {
              batch.put(key, value.getBytes(StandardCharsets.ISO_8859_1));
            }
          });
      inDoubt.add(change);
      journal
          .write(batch)
          .whenComplete(
              (done, failure) -> {
                try {
                  if (failure == null) {
                    apply(change, certain);
                    inDoubt.removeIf(each -> each == change || failed.contains(each));
                    failed.clear();
                  } else {
                    failed.add(change);
                  }
                  if (isLast) {
                    round(journal);
                  }
                } catch (RuntimeException | Error e) {
                  over.completeExceptionally(e);
                }
              });
    }
  }

  private Map<Long, String> change() {
    Map<Long, String> change = new HashMap<>();
    stamp++;
    for (int i = 1 + random.nextInt(4); i > 0; i--) {
      int length =
          random.nextInt(20) == 0 ? 3_000 : random.nextInt(random.nextBoolean() ? 40 : 900);
      String value = random.nextInt(5) < 2 ? null : stamp + ":" + "x".repeat(length);
      change.put((long) random.nextInt(KEYS), value);
    }
    return change;
  }

  private static void apply(Map<Long, String> change, Map<Long, String> to) {
    change.forEach(
        (key, value) -> {
          if (value == null) {
            to.remove(key);
          } else {
            to.put(key, value);
          }
        });
  }

  /** What was completed is there, and of the rest each batch whole or not at all. */
  void check(Map<Long, String> found) {
    for (int subset = 0; subset < 1 << inDoubt.size(); subset++) {
      Map<Long, String> expected = new TreeMap<>(certain);
      for (int i = 0; i < inDoubt.size(); i++) {
        if ((subset & 1 << i) != 0) {
          apply(inDoubt.get(i), expected);
        }
      }
      if (expected.equals(found)) {
        certain.clear();
        certain.putAll(found);
        inDoubt.clear();
        failed.clear();
        return;
      }
    }
    assertThat(shortened(found))
        .as("what is there, and %s in doubt", inDoubt.stream().map(Workload::shortened).toList())
        .isEqualTo(shortened(certain));
  }

  /** Batches that have failed since something was written. */
  int failed() {
    return failed.size();
  }

  /** Failed batches have no effect while the journal is open. */
  void checkCertain(Journal journal) throws Exception {
    for (long key = 0; key < KEYS; key++) {
      String expected = certain.get(key);
      if (expected != null) {
        assertThat(Records.await(journal.read(key)))
            .asString(StandardCharsets.ISO_8859_1)
            .isEqualTo(expected);
      }
    }
    assertThat(journal.bytes())
        .isEqualTo(certain.values().stream().mapToLong(value -> Index.cost(value.length())).sum());
  }

  private static Map<Long, String> shortened(Map<Long, String> values) {
    Map<Long, String> shortened = new TreeMap<>();
    values.forEach(
        (key, value) ->
            shortened.put(
                key, value == null ? "removed" : value.split(":")[0] + ":" + value.length()));
    return shortened;
  }
}
