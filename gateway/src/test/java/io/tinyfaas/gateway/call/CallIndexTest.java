package io.tinyfaas.gateway.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.gateway.call.IdempotencyKey.Digest;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CallIndexTest {

  private static final Optional<IdempotencyKey> NO_KEY = Optional.empty();

  private final CallIndex index = new CallIndex(100, 10_000);

  private Call add(String function, int bytes) {
    Call call = TestCalls.of(function, 0, bytes, NO_KEY);
    index.add(call);
    return call;
  }

  private void finish(Call call, CallState how) {
    call.finish(how, 1);
    call.settle();
    index.finished(call);
  }

  private int addAll(String function, int bytes) {
    int count = 0;
    while (index.hasRoom(function, bytes)) {
      add(function, bytes);
      count++;
    }
    return count;
  }

  @Test
  void shouldLeaveOthersAQuarter() {
    assertThat(addAll("f", 10)).isBetween(75, 77);
    assertThat(addAll("g", 10)).isBetween(17, 20);
    assertThat(index.hasRoom("h", 10)).isTrue();
  }

  @Test
  void shouldLeaveOthersAQuarterOfTheBytes() {
    assertThat(addAll("f", 1_000)).isEqualTo(8);
    assertThat(index.hasRoom("g", 1_000)).isTrue();
    assertThat(index.hasRoom("g", 2_001)).isFalse();
    assertThat(index.hasRoom("h", 20_000)).isFalse();
  }

  @Test
  void shouldCountWhatFailedAndNotWhatIsDone() {
    Call done = add("f", 5_000);
    Call failed = add("f", 5_000);
    assertThat(index.hasRoom("g", 1)).isFalse();

    finish(failed, CallState.FAILED);
    assertThat(index.hasRoom("g", 1)).isFalse();
    finish(done, CallState.DONE);
    assertThat(index.hasRoom("g", 5_000)).isTrue();
    index.remove(done);
    index.remove(failed);
    index.remove(failed);
    assertThat(index.hasRoom("f", 10_000)).isTrue();
    assertThat(index.all()).isEmpty();
    assertThat(addAll("f", 10)).isBetween(75, 77);
  }

  @Test
  void shouldGiveWayWithTheOldestThatIsDone() {
    Call first = add("f", 10);
    Call second = add("f", 10);
    finish(second, CallState.DONE);
    finish(first, CallState.DONE);

    assertThat(index.oldestDone()).hasValue(second);
    index.remove(second);
    assertThat(index.oldestDone()).hasValue(first);
    assertThat(index.find(first.id())).hasValue(first);
    assertThat(index.find(second.id())).isEmpty();
  }

  @Test
  void shouldBeFullOfAllThatIsKnown() {
    for (int i = 0; i < 100; i++) {
      finish(add("f", 10), CallState.DONE);
    }
    assertThat(index.isFull()).isTrue();
    assertThat(index.hasTooMany()).isFalse();
    assertThat(index.hasRoom("f", 10)).isTrue();

    add("f", 10);
    assertThat(index.hasTooMany()).isTrue();
  }

  @Test
  void shouldFindByKeyUntilItIsForgotten() {
    IdempotencyKey key = new IdempotencyKey(new Digest(1, 2), new Digest(3, 4));
    Call first = TestCalls.of("f", 0, 10, Optional.of(key));
    index.add(first);
    finish(first, CallState.DONE);
    assertThat(index.find(new Digest(1, 2))).hasValue(first);

    Call second = TestCalls.of("f", 0, 10, Optional.of(key));
    index.remove(first);
    assertThat(index.find(new Digest(1, 2))).isEmpty();
    index.add(second);
    index.remove(first);
    assertThat(index.find(new Digest(1, 2))).hasValue(second);
  }

  @Test
  void shouldTakeBackWhatBeginsAnew() {
    Call call = add("f", 5_000);
    finish(call, CallState.FAILED);
    call.restart(2);
    finish(call, CallState.DONE);

    assertThat(index.hasRoom("g", 10_000)).isTrue();
    assertThat(index.oldestDone()).hasValue(call);
  }
}
