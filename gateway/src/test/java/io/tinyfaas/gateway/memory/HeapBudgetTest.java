package io.tinyfaas.gateway.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.Settings;
import io.tinyfaas.gateway.memory.HeapBudget.Share;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class HeapBudgetTest {

  /** What Java gives of 76m; of the young part one half of the survivors is always empty. */
  private static final long DEFAULT_HEAP = 74L << 20;

  private static HeapBudget budget(long heap, String property, String value) {
    return new HeapBudget(heap, Settings.with(HeapSettings.class, property, value));
  }

  private static HeapBudget standard() {
    return budget(DEFAULT_HEAP, "tinyfaas.max-body", "1M");
  }

  @Test
  void shouldBeAllOfTheHeap() {
    assertThat(standard().shares().stream().mapToLong(Share::bytes).sum()).isEqualTo(DEFAULT_HEAP);
    assertThat(standard().isEnough()).isTrue();
  }

  /** The page is what people know of it. */
  @Test
  void shouldBeAsItsPageSays() throws IOException {
    List<String> rows =
        standard().shares().stream()
            .map(
                share ->
                    "| %s | %d | %d | %d |"
                        .formatted(share.name(), share.count(), share.each(), share.bytes() >> 10))
            .toList();
    List<String> page =
        Files.readAllLines(Path.of("../docs/limits.md")).stream()
            .dropWhile(line -> !line.startsWith("| share |"))
            .skip(2)
            .takeWhile(line -> line.startsWith("|"))
            .map(line -> line.substring(0, line.lastIndexOf('|', line.length() - 2) + 1))
            .toList();
    assertThat(page).isEqualTo(rows);
  }

  @Test
  void shouldSayWhichHeapIsEnough() {
    HeapBudget little = budget(40L << 20, "tinyfaas.max-body", "4M");
    assertThat(little.isEnough()).isFalse();
    long enough = little.enough() + (1 << 10); // what rounding takes
    assertThat(budget(enough, "tinyfaas.max-body", "4M").isEnough()).isTrue();
    assertThat(budget(enough - (1 << 20), "tinyfaas.max-body", "4M").isEnough()).isFalse();
  }

  @Test
  void shouldLeaveMoreToInvocationsWhereOtherLimitsAreLower() {
    long connections = 900 * 5_632;
    assertThat(budget(DEFAULT_HEAP, "tinyfaas.http.max-connections", "100").invocations())
        .isEqualTo(standard().invocations() + connections);
  }
}
