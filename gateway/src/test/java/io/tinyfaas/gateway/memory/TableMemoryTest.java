package io.tinyfaas.gateway.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TableMemoryTest {

  private static final long FUNCTION = 7 * 1_024;
  private static final long HANDLER = 4 * 1_024;
  private static final long SCHEDULE = 1_024;
  private static final long DEVICE = 300;

  private final HeapBudget budget = DefaultHeap.budget();
  private final BodyMemory invocations = new BodyMemory(budget.invocations());
  private final TableMemory tables = new TableMemory(budget, invocations);

  private long taken() {
    return budget.invocations() - invocations.size();
  }

  @Test
  void shouldTakeNothingFromInvocationsForWhatHasAShare() {
    tables.holdFunctions(1_000, 1_000, 0, 0, 0, 0);
    tables.holdFunctions(100, 1_600, 0, 0, 0, 0);
    tables.holdDevices(10_000);
    assertThat(taken()).isZero();
  }

  @Test
  void shouldTakeFromInvocationsWhatIsBeyond() {
    tables.holdFunctions(1_200, 1_500, 0, 0, 0, 0);
    tables.holdDevices(11_000);
    assertThat(taken()).isEqualTo(200 * FUNCTION + 300 * HANDLER + 1_000 * DEVICE);
    assertThat(invocations.take(invocations.size() + 1)).isFalse();
    assertThat(invocations.take(invocations.size())).isTrue();
  }

  @Test
  void shouldCountSchedulesWithTheirBodies() {
    tables.holdFunctions(1_000, 1_000, 0, 100, 0, 50_000);
    assertThat(taken()).isEqualTo(100 * SCHEDULE + 100_000);
    tables.holdFunctions(800, 800, 0, 100, 0, 50_000);
    assertThat(taken()).isZero();
  }

  @Test
  void shouldCountTheLevelsOfTopics() {
    tables.holdFunctions(1_000, 1_000, 0, 0, 30, 400);
    assertThat(taken()).isEqualTo(30 * 512 + 800);
  }

  @Test
  void shouldGiveItBackWithASmallerTable() {
    tables.holdFunctions(1_500, 1_500, 0, 0, 0, 0);
    tables.holdDevices(20_000);
    tables.holdFunctions(1_100, 1_100, 0, 0, 0, 0);
    tables.holdDevices(0);
    assertThat(taken()).isEqualTo(100 * FUNCTION);
  }

  /** They end, and no others begin meanwhile. */
  @Test
  void shouldTakeItAlsoWhereInvocationsHaveIt() {
    long all = invocations.size();
    assertThat(invocations.take(all)).isTrue();
    tables.holdFunctions(1_100, 1_100, 0, 0, 0, 0);
    invocations.give(100 * FUNCTION);
    assertThat(invocations.take(1)).isFalse();
    invocations.give(1);
    assertThat(invocations.take(1)).isTrue();
  }

  @Test
  void shouldRefuseATableThatLeavesTooLittleForTheLargestBody() {
    tables.holdFunctions(2_000, 2_000, 0, 0, 0, 0);
    long before = taken();
    assertThatThrownBy(() -> tables.holdFunctions(3_000, 3_000, 0, 0, 0, 0))
        .hasMessageContaining("3000 functions")
        .hasMessageContaining(HeapBudget.set(budget.enough(2_000 * FUNCTION)));
    assertThatThrownBy(() -> tables.holdDevices(40_000)).hasMessageContaining("40000 devices");
    assertThat(taken()).isEqualTo(before);
  }

  @Test
  void shouldFitIntoTheHeapThatItSays() {
    HeapBudget larger = DefaultHeap.budget(budget.enough(2_000 * FUNCTION) + 1_024); // rounded
    new TableMemory(larger, new BodyMemory(larger.invocations()))
        .holdFunctions(3_000, 3_000, 0, 0, 0, 0);
  }
}
