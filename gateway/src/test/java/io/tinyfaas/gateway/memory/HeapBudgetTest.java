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

  private static HeapBudget budget(long heap, String property, String value) {
    return new HeapBudget(heap, Settings.with(HeapSettings.class, property, value));
  }

  @Test
  void shouldBeAllOfTheHeap() {
    assertThat(DefaultHeap.budget().shares().stream().mapToLong(Share::bytes).sum())
        .isEqualTo(DefaultHeap.BYTES);
    assertThat(DefaultHeap.budget().isEnough()).isTrue();
  }

  /** The page is what people know of it. */
  @Test
  void shouldBeAsItsPageSays() throws IOException {
    List<String> rows =
        DefaultHeap.budget().shares().stream()
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
    assertThat(budget(DefaultHeap.BYTES, "tinyfaas.http.max-connections", "100").invocations())
        .isEqualTo(DefaultHeap.budget().invocations() + connections);
  }
}
