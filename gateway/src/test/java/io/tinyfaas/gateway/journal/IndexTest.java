package io.tinyfaas.gateway.journal;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Seed;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class IndexTest {

  @RegisterExtension final Seed seed = new Seed();

  @Test
  void shouldFindWhatIsThereAndNothingElse() {
    Random random = seed.random();
    Index index = new Index();
    Map<Long, Index.Place> expected = new TreeMap<>();
    for (int i = 0; i < 200_000; i++) {
      // Keys one after the other, as calls have them, and any.
      long key = random.nextBoolean() ? random.nextInt(3_000) : random.nextLong() & ~0xFFFFL;
      if (random.nextInt(3) == 0) {
        index.remove(key);
        expected.remove(key);
      } else if (expected.size() < 5_000 || expected.containsKey(key)) {
        Index.Place place =
            new Index.Place(1 + random.nextInt(4), random.nextInt(1 << 30), random.nextInt(1_000));
        index.put(key, place.segment(), place.offset(), place.length());
        expected.put(key, place);
      } else {
        index.remove(expected.keySet().iterator().next());
        expected.remove(expected.keySet().iterator().next());
      }
    }
    expected.forEach((key, place) -> assertThat(index.find(key)).isEqualTo(place));
    for (long key = -10; key < 3_000; key++) {
      assertThat(index.find(key)).isEqualTo(expected.get(key));
    }
    assertThat(index.size()).isEqualTo(expected.size());
    assertThat(index.bytes())
        .isEqualTo(expected.values().stream().mapToLong(it -> Index.cost(it.length())).sum());
    for (int segment = 1; segment <= 4; segment++) {
      int wanted = segment;
      assertThat(index.keysIn(segment))
          .containsExactly(
              expected.entrySet().stream()
                  .filter(entry -> entry.getValue().segment() == wanted)
                  .sorted((a, b) -> Integer.compare(a.getValue().offset(), b.getValue().offset()))
                  .mapToLong(Map.Entry::getKey)
                  .toArray());
    }
  }
}
