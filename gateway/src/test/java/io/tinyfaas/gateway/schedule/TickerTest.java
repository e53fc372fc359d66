package io.tinyfaas.gateway.schedule;

import static io.tinyfaas.gateway.schedule.PlayedBox.cron;
import static io.tinyfaas.gateway.schedule.PlayedBox.every;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.control.ScheduleStatus.State;
import io.tinyfaas.contract.route.Schedule;
import io.tinyfaas.contract.route.Schedule.Missed;
import io.tinyfaas.contract.route.Schedule.Overlap;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TickerTest {

  private static final Schedule SIX = cron("0 6 * * *", "UTC");

  @Test
  void shouldCallAtEachTimeOfACronExpression() {
    PlayedBox box = new PlayedBox("2026-11-30T05:59:00Z").start(SIX);

    assertThat(box.status().state()).isEqualTo(State.WAITING);
    assertThat(box.status().last()).isEmpty();
    assertThat(box.status().next()).hasValue(Instant.parse("2026-11-30T06:00:00Z"));
    box.pass(Duration.ofDays(2));
    assertThat(box.fired()).containsExactly("2026-11-30T06:00:00Z", "2026-12-01T06:00:00Z");
    assertThat(box.status().last()).hasValue(Instant.parse("2026-12-01T06:00:00Z"));
    assertThat(box.status().next()).hasValue(Instant.parse("2026-12-02T06:00:00Z"));
  }

  @Test
  void shouldCallAfterEachInterval() {
    PlayedBox box =
        new PlayedBox("2026-11-30T05:59:00.250Z")
            .start(every(Duration.ofSeconds(90), Missed.ONCE, Overlap.ALLOW));

    box.pass(Duration.ofMinutes(4));
    assertThat(box.fired()).containsExactly("2026-11-30T06:00:30.250Z", "2026-11-30T06:02:00.250Z");
  }

  /** Berlin's clocks go from 2 to 3, and from 3 to 2. */
  @Test
  void shouldCallOnceWhereClocksAreSetForSummer() {
    PlayedBox box =
        new PlayedBox("2026-03-28T12:00:00Z").start(cron("30 2 * * *", "Europe/Berlin"));
    box.pass(Duration.ofDays(2));
    assertThat(box.fired()).containsExactly("2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z");

    box = new PlayedBox("2026-10-24T12:00:00Z").start(cron("30 2 * * *", "Europe/Berlin"));
    box.pass(Duration.ofDays(2));
    assertThat(box.fired()).containsExactly("2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
  }

  @Test
  void shouldCallOnALeapDay() {
    PlayedBox box = new PlayedBox("2028-02-28T12:00:00Z").start(cron("0 0 29 2 *", "UTC"));
    box.pass(Duration.ofDays(2));
    assertThat(box.fired()).containsExactly("2028-02-29T00:00:00Z");
    assertThat(box.status().next()).hasValue(Instant.parse("2032-02-29T00:00:00Z"));
  }

  @ParameterizedTest
  @CsvSource({
    "SKIP, ''",
    "ONCE, 2026-12-03T06:00:00Z",
    "ALL, '2026-12-01T06:00:00Z,2026-12-02T06:00:00Z,2026-12-03T06:00:00Z'"
  })
  void shouldDoAboutMissedTimesAsIsSaid(Missed missed, String madeUp) {
    Schedule schedule = cron("0 6 * * *", "UTC", missed, Overlap.ALLOW);
    PlayedBox box = new PlayedBox("2026-11-30T12:00:00Z").start(schedule);
    box.off(Duration.ofDays(3));

    box.start(schedule);
    box.pass(Duration.ofHours(1));
    assertThat(String.join(",", box.fired())).isEqualTo(madeUp);
    assertThat(box.counted("missed")).isEqualTo(missed == Missed.ALL ? 0 : 1);
    box.pass(Duration.ofDays(1));
    assertThat(box.fired()).containsExactly("2026-12-04T06:00:00Z");
  }

  @ParameterizedTest
  @CsvSource({
    "SKIP, '2026-11-30T12:00:05Z'",
    "ONCE, '2026-11-30T12:00:05Z'",
    "ALL, '2026-11-30T12:00:02Z,2026-11-30T12:00:03Z,2026-11-30T12:00:04Z,2026-11-30T12:00:05Z'"
  })
  void shouldDoSoWithIntervals(Missed missed, String madeUp) {
    Schedule schedule = every(Duration.ofSeconds(1), missed, Overlap.ALLOW);
    PlayedBox box = new PlayedBox("2026-11-30T12:00:00Z").start(schedule);
    box.pass(Duration.ofMillis(1_500));
    assertThat(box.fired()).containsExactly("2026-11-30T12:00:01Z");
    box.off(Duration.ofSeconds(4));

    box.start(schedule);
    assertThat(String.join(",", box.fired())).isEqualTo(madeUp);
    box.pass(Duration.ofSeconds(1));
    assertThat(box.fired()).containsExactly("2026-11-30T12:00:06Z");
  }

  @Test
  void shouldNotMissATimeThatCameWhileTheGatewayStarted() {
    Schedule schedule = cron("0 6 * * *", "UTC", Missed.SKIP, Overlap.ALLOW);
    PlayedBox box = new PlayedBox("2026-11-30T05:59:59Z").start(schedule);
    box.off(Duration.ofSeconds(5));

    box.start(schedule);
    assertThat(box.fired()).containsExactly("2026-11-30T06:00:00Z");
  }

  @Test
  void shouldMakeUpForNoMoreThanAThousand() {
    Schedule schedule = every(Duration.ofSeconds(1), Missed.ALL, Overlap.ALLOW);
    PlayedBox box = new PlayedBox("2026-11-30T12:00:00Z").start(schedule);
    box.off(Duration.ofHours(5));

    box.start(schedule);
    assertThat(box.fired()).hasSize(1_000).startsWith("2026-11-30T12:00:01Z");
    assertThat(box.counted("missed")).isEqualTo(1);
    box.pass(Duration.ofSeconds(1));
    assertThat(box.fired()).containsExactly("2026-11-30T17:00:01Z");
  }

  @Test
  void shouldLeaveOutATimeWhileTheCallBeforeRuns() {
    PlayedBox box =
        new PlayedBox("2026-11-30T12:00:00Z")
            .start(every(Duration.ofSeconds(10), Missed.ONCE, Overlap.SKIP));
    box.keepRunning(true);
    box.pass(Duration.ofSeconds(35));
    assertThat(box.fired()).containsExactly("2026-11-30T12:00:10Z");
    assertThat(box.counted("overlapped")).isEqualTo(2);
    assertThat(box.status().state()).isEqualTo(State.RUNNING);

    box.endCalls();
    assertThat(box.status().state()).isEqualTo(State.WAITING);
    box.pass(Duration.ofSeconds(10));
    assertThat(box.fired()).containsExactly("2026-11-30T12:00:40Z");
  }

  @Test
  void shouldMakeUpForOneAfterTheOtherWhereTheyMustNotOverlap() {
    Schedule schedule = cron("0 6 * * *", "UTC", Missed.ALL, Overlap.SKIP);
    PlayedBox box = new PlayedBox("2026-11-30T12:00:00Z").start(schedule);
    box.keepRunning(true);
    box.off(Duration.ofDays(2));

    box.start(schedule);
    box.pass(Duration.ofHours(1));
    assertThat(box.fired()).containsExactly("2026-12-01T06:00:00Z");
    box.endCalls();
    assertThat(box.fired()).containsExactly("2026-12-02T06:00:00Z");
  }

  @Test
  void shouldTryAgainWhatIsRefusedUntilTheNextTime() {
    PlayedBox box =
        new PlayedBox("2026-11-30T12:00:00Z")
            .start(every(Duration.ofMinutes(1), Missed.SKIP, Overlap.ALLOW));
    box.isFull(true);
    box.pass(Duration.ofSeconds(110));
    assertThat(box.status().state()).isEqualTo(State.REFUSED);
    assertThat(box.counted("refused")).isEqualTo(1);
    box.isFull(false);
    box.pass(Duration.ofSeconds(5));
    assertThat(box.fired()).containsExactly("2026-11-30T12:01:00Z");

    box.isFull(true);
    box.pass(Duration.ofSeconds(70));
    box.isFull(false);
    box.pass(Duration.ofSeconds(5));
    assertThat(box.fired()).containsExactly("2026-11-30T12:03:00Z");
    assertThat(box.counted("missed")).isEqualTo(1);
  }

  /** A box without a battery begins in 1970, and finds a time server after a minute. */
  @Test
  void shouldWaitForTheClockWithTimesOfDayAndNotWithIntervals() {
    Schedule interval = every(Duration.ofSeconds(40), Missed.ALL, Overlap.ALLOW);
    PlayedBox box = new PlayedBox("1970-01-01T05:59:00Z").start(SIX, interval);
    assertThat(box.status().state()).isEqualTo(State.WAITING_FOR_CLOCK);
    assertThat(box.status().next()).isEmpty();
    box.pass(Duration.ofSeconds(90));
    assertThat(box.fired()).containsExactly("1970-01-01T05:59:40Z", "1970-01-01T06:00:20Z");

    box.setClock("2026-11-30T05:00:00Z");
    assertThat(box.status().state()).isEqualTo(State.WAITING);
    assertThat(box.status().next()).hasValue(Instant.parse("2026-11-30T06:00:00Z"));
    box.pass(Duration.ofSeconds(40));
    assertThat(box.fired()).containsExactly("2026-11-30T05:00:30Z");
    box.pass(Duration.ofHours(1));
    assertThat(box.fired()).contains("2026-11-30T06:00:00Z");
  }

  @Test
  void shouldMakeUpForWhatWasMissedUntilTheClockWasRight() {
    PlayedBox box = new PlayedBox("2026-11-30T12:00:00Z").start(SIX);
    box.off(Duration.ZERO);

    box.setOff("1970-01-01T00:00:00Z");
    box.start(SIX);
    box.pass(Duration.ofHours(1));
    assertThat(box.fired()).isEmpty();
    box.setClock("2026-12-02T12:00:00Z");
    assertThat(box.fired()).containsExactly("2026-12-02T06:00:00Z");
  }

  @Test
  void shouldNotTrustAClockThatIsBehindWhatTheDiskTells() {
    PlayedBox box = new PlayedBox("2026-11-30T05:59:00Z");
    box.start(Instant.parse("2026-11-30T08:00:00Z"));
    box.plan(SIX);
    box.pass(Duration.ofMinutes(10));
    assertThat(box.fired()).isEmpty();
    assertThat(box.status().state()).isEqualTo(State.WAITING_FOR_CLOCK);
    box.pass(Duration.ofHours(2));
    assertThat(box.status().state()).isEqualTo(State.WAITING);
  }

  @Test
  void shouldTrustItAfterADayBecauseTheDiskMayBeWrong() {
    PlayedBox box = new PlayedBox("2026-11-30T05:59:00Z");
    box.start(Instant.parse("2076-11-30T08:00:00Z"));
    box.plan(SIX);
    box.pass(Duration.ofHours(49));
    assertThat(box.fired()).containsExactly("2026-12-01T06:00:00Z", "2026-12-02T06:00:00Z");
  }

  @ParameterizedTest
  @CsvSource({"SKIP, 0", "ONCE, 1", "ALL, 1000"})
  void shouldGoOnAfterAJumpByFiftyYearsAndBack(Missed missed, int madeUp) {
    Schedule schedule = cron("0 6 * * *", "UTC", missed, Overlap.ALLOW);
    PlayedBox box = new PlayedBox("2026-11-30T12:00:00Z").start(schedule);

    box.setClock("2076-11-30T12:00:00Z");
    assertThat(box.fired()).hasSize(madeUp);
    box.pass(Duration.ofDays(1));
    assertThat(box.fired()).containsExactly("2076-12-01T06:00:00Z");
    box.setClock("2026-12-01T12:00:00Z");
    assertThat(box.fired()).isEmpty();
    box.pass(Duration.ofDays(1));
    assertThat(box.fired()).containsExactly("2026-12-02T06:00:00Z");
  }

  @Test
  void shouldKeepIntervalsEvenThroughAJump() {
    Schedule schedule = every(Duration.ofMinutes(1), Missed.ALL, Overlap.ALLOW);
    PlayedBox box = new PlayedBox("2026-11-30T12:00:00Z").start(schedule);
    box.pass(Duration.ofSeconds(30));

    box.setClock("2076-11-30T12:00:30Z");
    box.pass(Duration.ofSeconds(60));
    assertThat(box.fired()).containsExactly("2076-11-30T12:01:00Z");
    box.setClock("2026-11-30T12:01:30Z");
    box.pass(Duration.ofSeconds(60));
    assertThat(box.fired()).containsExactly("2026-11-30T12:02:00Z");
  }

  @Test
  void shouldNotRepeatTimesWhenTheClockGoesBackByAnHour() {
    PlayedBox box = new PlayedBox("2026-11-30T12:00:30Z").start(cron("*/20 * * * *", "UTC"));
    box.pass(Duration.ofMinutes(50));
    assertThat(box.fired()).containsExactly("2026-11-30T12:20:00Z", "2026-11-30T12:40:00Z");

    box.setClock("2026-11-30T11:50:00Z");
    box.pass(Duration.ofMinutes(80));
    assertThat(box.fired()).containsExactly("2026-11-30T13:00:00Z");
  }

  @Test
  void shouldGoOnWithWhatIsTheSameAndForgetTheRest() {
    Schedule minute = every(Duration.ofMinutes(1), Missed.ONCE, Overlap.ALLOW);
    PlayedBox box = new PlayedBox("2026-11-30T12:00:00Z").start(minute, SIX);
    assertThat(box.records()).isEqualTo(2);
    box.pass(Duration.ofSeconds(40));

    box.plan(minute, every(Duration.ofMinutes(1), Missed.ALL, Overlap.ALLOW));
    assertThat(box.records()).isEqualTo(2);
    box.pass(Duration.ofSeconds(70));
    assertThat(box.fired()).containsExactly("2026-11-30T12:01:00Z", "2026-11-30T12:01:40Z");
    box.off(Duration.ofSeconds(1));
    box.start(Instant.EPOCH);
    assertThat(box.records()).isEqualTo(2);
    box.plan();
    assertThat(box.records()).isZero();
  }

  @Test
  void shouldBeginAnewWhereNobodyKnowsHowLongItWas() {
    Schedule minute = every(Duration.ofMinutes(1), Missed.ALL, Overlap.ALLOW);
    PlayedBox box = new PlayedBox("1970-01-01T00:00:00Z").start(minute);
    box.pass(Duration.ofSeconds(90));
    assertThat(box.fired()).hasSize(1);
    box.setOff("2026-11-30T12:00:00Z");

    box.start(minute);
    box.pass(Duration.ofSeconds(90));
    assertThat(box.fired()).containsExactly("2026-11-30T12:01:00Z");
  }
}
