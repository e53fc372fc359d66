package io.tinyfaas.contract.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CronTimesTest {

  private static List<String> next(String cron, String zone, String after, int count) {
    CronTimes times = CronTimes.parse(cron);
    List<String> all = new ArrayList<>();
    Instant time = Instant.parse(after);
    while (all.size() < count) {
      time = times.next(time, ZoneId.of(zone)).orElseThrow();
      all.add(time.toString());
    }
    return all;
  }

  @ParameterizedTest
  @CsvSource({
    "0 6 * * *, 2026-11-30T05:59:59.999Z, 2026-11-30T06:00:00Z",
    "0 6 * * *, 2026-11-30T06:00:00Z, 2026-12-01T06:00:00Z",
    "0 6 * * *, 2026-11-30T06:00:00.001Z, 2026-12-01T06:00:00Z",
    "*/7 * * * *, 2026-11-30T05:50:00Z, 2026-11-30T05:56:00Z",
    "30 4 1 * *, 2026-11-30T05:50:00Z, 2026-12-01T04:30:00Z",
    "0 12 * * MON-FRI, 2026-12-04T12:00:00Z, 2026-12-07T12:00:00Z",
    "0 12 * * 0, 2026-11-30T12:00:00Z, 2026-12-06T12:00:00Z",
    "0 12 * * 7, 2026-11-30T12:00:00Z, 2026-12-06T12:00:00Z",
    "0 12 * JAN *, 2026-11-30T12:00:00Z, 2027-01-01T12:00:00Z",
    // As crontab has it: either of two days.
    "0 12 13 * 5, 2026-12-05T00:00:00Z, 2026-12-11T12:00:00Z",
    "0 12 13 * 5, 2026-12-12T00:00:00Z, 2026-12-13T12:00:00Z",
    "0 0 29 2 *, 2026-11-30T12:00:00Z, 2028-02-29T00:00:00Z",
    "0 0 29 2 *, 2097-01-01T00:00:00Z, 2104-02-29T00:00:00Z"
  })
  void shouldBeDueAsACrontabSays(String cron, String after, String due) {
    assertThat(next(cron, "UTC", after, 1)).containsExactly(due);
  }

  /** Berlin's clocks are set from 2 to 3 on 29 March 2026, and from 3 to 2 on 25 October. */
  @Test
  void shouldBeDueOnceWhereItsTimeIsLeftOut() {
    assertThat(next("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3))
        .containsExactly("2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z");
    assertThat(next("*/20 2-3 * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", 4))
        .containsExactly(
            "2026-03-29T01:00:00Z",
            "2026-03-29T01:20:00Z",
            "2026-03-29T01:40:00Z",
            "2026-03-30T00:00:00Z");
  }

  @Test
  void shouldBeDueOnceWhereItsTimeComesTwice() {
    assertThat(next("30 2 * * *", "Europe/Berlin", "2026-10-23T12:00:00Z", 3))
        .containsExactly("2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
    assertThat(next("0 3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 1))
        .containsExactly("2026-10-25T02:00:00Z");
  }

  @Test
  void shouldGoOnEvenlyWhereItIsDueInEveryHour() {
    assertThat(next("30 * * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", 4))
        .containsExactly(
            "2026-10-24T23:30:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:30:00Z");
    assertThat(next("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3))
        .containsExactly("2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z");
  }

  /** Half an hour on Lord Howe, and a whole day that Apia left out at the end of 2011. */
  @Test
  void shouldKnowZonesThatAreSetOtherwise() {
    assertThat(next("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2))
        .containsExactly("2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z");
    assertThat(next("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", 3))
        .containsExactly("2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "0 6 * *",
        "0 6 * * * *",
        "@daily",
        "60 * * * *",
        "* 24 * * *",
        "0 0 0 * *",
        "0 0 * 13 *",
        "0 0 * * 8",
        "0 0 * * FUN",
        "*/0 * * * *",
        "5-1 * * * *",
        "1,,2 * * * *",
        "0 6 L * *",
        "0 6 ? * *",
        "0 6 * * 5#2",
        "0 6 * * *||0 7 * * *",
        "0 6  * * *",
        "0 0 30 2 *",
        "0 0 31 2 *",
        "0 0 31 4,6,9,11 *"
      })
  void shouldRefuseWhatIsNeverDueOrNoExpression(String cron) {
    assertThatThrownBy(() -> CronTimes.parse(cron)).isInstanceOf(IllegalArgumentException.class);
  }
}
