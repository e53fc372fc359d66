package io.tinyfaas.gateway.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.call.CallQueue.End;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CallQueueTest {

  private static final long DAY = 86_400_000;

  private final PlayedTime time = new PlayedTime();
  private final Deque<Call> begun = new ArrayDeque<>();
  private final CallQueue queue = new CallQueue(time, time::now, begun::add);

  private Call add(String function, long in) {
    Call call = TestCalls.of(function, time.now() + in);
    queue.add(call);
    return call;
  }

  private void addMany(String function, int count) {
    for (int i = 0; i < count; i++) {
      add(function, 0);
    }
  }

  private List<Call> takeBegun() {
    List<Call> taken = new ArrayList<>(begun);
    begun.clear();
    return taken;
  }

  private void notTaken(Call call) {
    queue.add(call);
    queue.ended(call, End.NOT_TAKEN);
  }

  @Test
  void shouldBeginWhatIsDueInTheOrderOfAcceptance() {
    Call late = add("f", 500);
    Call first = add("f", 0);
    Call second = add("f", 0);

    time.pass(0);
    assertThat(takeBegun()).containsExactly(first, second);
    time.pass(499);
    assertThat(begun).isEmpty();
    time.pass(1);
    assertThat(begun).containsExactly(late);
  }

  @Test
  void shouldLeaveOtherFunctionsAQuarterOfThePlaces() {
    addMany("f", 100);
    time.pass(0);
    assertThat(takeBegun()).hasSize(CallQueue.MAX_RUNNING * 3 / 4 + 1);

    addMany("g", 1);
    time.pass(0);
    assertThat(begun).hasSize(1);
  }

  @Test
  void shouldGivePlacesInTurnHoweverManyFunctionsWantOne() {
    int functions = 2 * CallQueue.MAX_RUNNING;
    for (int i = 0; i < functions; i++) {
      addMany("f" + i, 10);
    }
    Map<String, Integer> runs = new HashMap<>();
    for (int round = 0; round < 6 * functions; round++) {
      time.pass(0);
      Call next = begun.remove();
      runs.merge(next.function(), 1, Integer::sum);
      queue.ended(next, End.TAKEN);
    }

    assertThat(runs).hasSize(functions);
    assertThat(runs.values()).allMatch(count -> count >= 3);
  }

  @Test
  void shouldAskAFunctionWithoutHandlersWithOneCallNowAndThen() {
    addMany("f", 10_000);
    time.pass(0);
    assertThat(begun).hasSize(CallQueue.MAX_RUNNING * 3 / 4 + 1);
    takeBegun().forEach(this::notTaken);

    int asked = 0;
    for (int second = 0; second < 600; second++) {
      time.pass(1_000);
      asked += begun.size();
      takeBegun().forEach(this::notTaken);
      assertThat(time.tasks()).isLessThan(10);
    }
    assertThat(asked).isBetween(70, 85); // once in 8 s, and sooner in the beginning
  }

  @Test
  void shouldBeginAllOnceOneWasTaken() {
    addMany("f", 1_000);
    time.pass(0);
    takeBegun().forEach(this::notTaken);
    time.pass(250);
    assertThat(begun).hasSize(1);

    int done = 0;
    for (int i = 0; i < 1_000; i++) {
      time.pass(10);
      List<Call> ended = takeBegun();
      ended.forEach(call -> queue.ended(call, End.TAKEN));
      done += ended.size();
    }
    assertThat(done).isEqualTo(1_000);
  }

  @Test
  void shouldTryHandlersThatCame() {
    addMany("f", 100);
    time.pass(0);
    takeBegun().forEach(this::notTaken);
    for (int i = 0; i < 60; i++) {
      time.pass(1_000);
      takeBegun().forEach(this::notTaken);
    }

    queue.retry();
    time.pass(0);
    assertThat(begun).hasSize(1);
  }

  /** One that takes its time must not hold up those that could run beside it. */
  @Test
  void shouldGoOnBesideOneThatTakesLong() {
    addMany("f", 2);
    time.pass(0);
    List<Call> two = takeBegun();
    notTaken(two.getLast());

    time.pass(250);
    assertThat(begun).containsExactly(two.getLast());
  }

  @Test
  void shouldNotAskAgainAndAgainWhatTakesHalfOfThem() {
    addMany("f", 2_000);
    int most = 10;
    Deque<Call> running = new ArrayDeque<>();
    int refused = 0;
    int done = 0;
    for (int i = 0; i < 500; i++) {
      time.pass(5);
      for (Call call = begun.poll(); call != null; call = begun.poll()) {
        if (running.size() < most) {
          running.add(call);
        } else {
          refused++;
          notTaken(call);
        }
      }
      if (!running.isEmpty()) {
        queue.ended(running.remove(), End.TAKEN);
        done++;
      }
    }

    assertThat(done).isGreaterThan(450);
    assertThat(refused).isLessThan(100);
  }

  @Test
  void shouldForgetACallWithItsTimer() {
    for (int i = 0; i < 1_000; i++) {
      queue.remove(add("f", DAY - i));
    }
    assertThat(time.tasks()).isZero();

    Call kept = add("f", DAY);
    for (int i = 1; i < 1_000; i++) {
      queue.remove(add("f", DAY - i));
    }
    assertThat(time.tasks()).isEqualTo(1);
    time.pass(DAY);
    assertThat(begun).containsExactly(kept);
  }

  @Test
  void shouldForgetAFunctionThatWaitsForAPlace() {
    for (int i = 0; i < CallQueue.MAX_RUNNING; i++) {
      addMany("f" + i, 1);
    }
    Call gone = add("g", 0);
    time.pass(0);
    queue.remove(gone);
    Call next = add("h", 0);
    time.pass(0);
    takeBegun().forEach(call -> queue.ended(call, End.TAKEN));

    time.pass(0);
    assertThat(begun).containsExactly(next);
  }

  @Test
  void shouldFollowAClockThatIsSet() {
    Call call = add("f", 1_000);
    time.pass(0);
    time.set(DAY);
    call.shift(DAY);
    queue.reorder();
    time.pass(999);
    assertThat(begun).isEmpty();
    time.pass(1);
    assertThat(takeBegun()).containsExactly(call);

    notTaken(call);
    time.set(-DAY);
    call.shift(-DAY);
    queue.reorder();
    time.pass(8_000);
    assertThat(begun).containsExactly(call);
  }

  @Test
  void shouldBeginNoneOnceItIsStopped() {
    addMany("f", 1);
    queue.stop();
    time.pass(DAY);

    assertThat(begun).isEmpty();
    assertThat(queue.isReady("g")).isFalse();
  }

  @Test
  void shouldSayWhetherOneWouldBeBegun() {
    assertThat(queue.isReady("f")).isTrue();
    Call waits = add("f", 0);
    assertThat(queue.isReady("f")).isFalse();
    time.pass(0);
    assertThat(queue.isReady("f")).isTrue();
    notTaken(waits);
    assertThat(queue.isReady("f")).isFalse();
    queue.remove(waits);
    assertThat(queue.isReady("f")).isTrue();
    addMany("f", 100);
    time.pass(0);
    assertThat(queue.isReady("f")).isFalse();
    assertThat(queue.isReady("g")).isTrue();
  }
}
