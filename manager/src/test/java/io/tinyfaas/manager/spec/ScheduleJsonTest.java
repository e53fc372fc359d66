package io.tinyfaas.manager.spec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tinyfaas.contract.route.Schedule;
import io.tinyfaas.contract.route.Schedule.Missed;
import io.tinyfaas.contract.route.Schedule.Overlap;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.text.JsonDocument;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScheduleJsonTest {

  private static ObjectNode document(String json) {
    return JsonDocument.parse(json.replace('\'', '"').getBytes(UTF_8));
  }

  private static FunctionSpec read(String schedules) {
    return FunctionSpecJson.read(document("{'runtime':'python','schedules':" + schedules + "}"));
  }

  private static ProblemException refusal(String schedules) {
    ProblemException problem = catchThrowableOfType(ProblemException.class, () -> read(schedules));
    assertThat(problem.type()).isEqualTo(ProblemType.INVALID_SPEC);
    return problem;
  }

  @Test
  void shouldGiveDefaultsToAllButTheTime() {
    assertThat(read("[{'cron':' 0  6 * * * '},{'every':'PT1M30S','zone':null}]").schedules())
        .containsExactly(
            new Schedule(
                Optional.of("0 6 * * *"),
                Optional.empty(),
                "UTC",
                "POST",
                "",
                "",
                Missed.ONCE,
                Overlap.SKIP),
            new Schedule(
                Optional.empty(),
                Optional.of(90_000L),
                "UTC",
                "POST",
                "",
                "",
                Missed.ONCE,
                Overlap.SKIP));
  }

  @ParameterizedTest
  @CsvSource({"1s, 1s", "60s, 1m", "90m, 90m", "48h, 2d", "365d, 365d", "1500ms, 1500ms"})
  void shouldWriteIntervalsAsPeopleDo(String every, String written) {
    assertThat(FunctionSpecJson.write(read("[{'every':'" + every + "'}]")).toString())
        .contains("\"every\":\"" + written + "\"");
  }

  @Test
  void shouldHaveNoneWhereNothingIsSaid() {
    assertThat(FunctionSpecJson.write(read("null")).has("schedules")).isFalse();
    assertThat(read("[]")).isEqualTo(read("null"));
  }

  @Test
  void shouldReplaceThemAllWithAPatch() {
    FunctionSpec spec = read("[{'every':'1m'},{'every':'2m'}]");

    FunctionSpec other =
        FunctionSpecJson.patch(spec, document("{'schedules':[{'every':'3m','body':'x'}]}"));
    assertThat(other.schedules()).extracting(Schedule::text).containsExactly("3m");
    assertThat(FunctionSpecJson.patch(other, document("{'schedules':null}")).schedules()).isEmpty();
    assertThat(FunctionSpecJson.patch(other, document("{'handlers':2}")).schedules())
        .isEqualTo(other.schedules());
  }

  @Test
  void shouldRefuseMoreThanSixteen() {
    ArrayNode many = document("{'a':[]}").withArray("a");
    for (int minutes = 1; minutes <= 17; minutes++) {
      many.addObject().put("every", minutes + "m");
    }
    assertThat(refusal(many.toString())).hasMessageContaining("has 17 entries, at most 16");
    many.remove(0);
    assertThat(read(many.toString()).schedules()).hasSize(16);
  }

  @Test
  void shouldCountTheBytesOfABody() {
    assertThat(read("[{'every':'1s','body':'" + "x".repeat(4_096) + "'}]").schedules()).hasSize(1);
    assertThat(refusal("[{'every':'1s','body':'" + "ä".repeat(2_049) + "'}]"))
        .hasMessage(
            "schedules[0].body has 4098 bytes, at most 4096 are allowed: put more into a file of"
                + " the archive, and its name into the body.");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "`0 6 * * *` | schedules | schedules is an array of objects, such as",
        "[`0 6 * * *`] | schedules | send it with PATCH, or in the part spec",
        "{`cron`:`0 6 * * *`} | schedules | schedules is an array of objects",
        "[{`every`:`1s`},{}] | schedules[1] | has neither cron nor every: give it one",
        "[{`cron`:`0 6 * * *`,`every`:`1s`}] | schedules[0] | has both cron and every: give it one",
        "[{`every`:`1s`,`at`:`noon`}] | schedules[0] | has no field \"at\"; its fields are cron,",
        "[{`every`:`1s`},{`every`:`1000ms`}] | schedules[1] | is the same as schedules[0]: leave",
        "[{`cron`:`0 6 * *`}] | schedules[0].cron | it has not five fields",
        "[{`cron`:`61 6 * * *`}] | schedules[0].cron | Value 61 not in range [0, 59]. A cron",
        "[{`cron`:`0 6 31 2 *`}] | schedules[0].cron | there is no such day in any year. A cron",
        "[{`cron`:`@daily`}] | schedules[0].cron | such as 30 6 * * 1-5.",
        "[{`cron`:6}] | schedules[0].cron | cron is a string",
        "[{`every`:`999ms`}] | schedules[0].every | every is from 1s to 365d, written like",
        "[{`every`:`366d`}] | schedules[0].every | every is from 1s to 365d",
        "[{`every`:60}] | schedules[0].every | every is from 1s to 365d",
        "[{`cron`:`0 6 * * *`,`zone`:`Europe/Bonn`}] | schedules[0].zone | such as Europe/Berlin",
        "[{`cron`:`0 6 * * *`,`zone`:`+02:00`}] | schedules[0].zone | such as Europe/Berlin",
        "[{`every`:`1s`,`zone`:`UTC`}] | schedules[0].zone | is for cron only",
        "[{`every`:`1s`,`method`:`BREW`}] | schedules[0].method | one of DELETE, GET, PATCH, POST",
        "[{`every`:`1s`,`path`:`report`}] | schedules[0].path | path begins with a slash",
        "[{`every`:`1s`,`path`:`/a?b`}] | schedules[0].path | has no query",
        "[{`every`:`1s`,`path`:`/ä`}] | schedules[0].path | is percent-encoded",
        "[{`every`:`1s`,`body`:{}}] | schedules[0].body | body is a string",
        "[{`every`:`1s`,`missed`:`never`}] | schedules[0].missed | missed is skip, once or all",
        "[{`every`:`1s`,`overlap`:`no`}] | schedules[0].overlap | overlap is skip or allow"
      })
  void shouldSayWhatIsWrong(String schedules, String field, String message) {
    ProblemException problem = refusal(schedules.replace('`', '"'));
    assertThat(problem.field()).isEqualTo(field);
    assertThat(problem).hasMessageContaining(message);
  }
}
