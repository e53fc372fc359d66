package io.tinyfaas.manager.spec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.text.JsonDocument;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FunctionSpecTest {

  private static FunctionSpec read(String json) {
    return FunctionSpecJson.read(JsonDocument.parse(json.getBytes(UTF_8)));
  }

  private static ProblemException refusal(String json) {
    return catchThrowableOfType(ProblemException.class, () -> read(json));
  }

  @Test
  void shouldGiveDefaultsToAllButTheRuntime() {
    FunctionSpec spec = read("{'runtime':'nodejs','handlers':null}".replace('\'', '"'));
    assertThat(spec)
        .isEqualTo(
            new FunctionSpec(
                "nodejs",
                1,
                Map.of(),
                128 << 20,
                1,
                Duration.ofSeconds(10),
                false,
                Map.of(),
                Optional.empty(),
                Exposure.DEFAULT,
                CallPolicy.DEFAULT,
                List.of(),
                List.of(),
                List.of()));
  }

  @Test
  void shouldReadWhatItWrites() {
    String json =
        "{\"runtime\":\"nodejs\",\"handlers\":2,\"environment\":{\"A\":\"b\"},\"memory\":\"128M\","
            + "\"cpus\":1.5,\"timeout\":\"10s\",\"networkAccess\":true,\"labels\":{\"a.b\":\"c\"},"
            + "\"entry\":\"bin/run\",\"access\":\"device\",\"observable\":true,"
            + "\"link\":{\"rt\":\"lamp\",\"title\":\"A lamp\"},\"delivery\":\"durable\","
            + "\"async\":{\"retries\":3,\"backoff\":\"1500ms\",\"maxAge\":\"12h\","
            + "\"retryOn\":[\"timeout\"],\"onFailure\":\"alarm\"},\"schedules\":["
            + "{\"cron\":\"0 6 * * 1-5\",\"zone\":\"Europe/Berlin\",\"method\":\"PUT\","
            + "\"path\":\"/report\",\"body\":\"short\",\"missed\":\"all\",\"overlap\":\"allow\"},"
            + "{\"every\":\"90s\",\"method\":\"POST\",\"path\":\"\",\"body\":\"\","
            + "\"missed\":\"once\",\"overlap\":\"skip\"}],\"mqtt\":["
            + "{\"topic\":\"shed/+/temperature\",\"qos\":0,\"reply\":\"shed/alarms\","
            + "\"broker\":\"box\"},"
            + "{\"topic\":\"plant/#\",\"qos\":2,\"shared\":true,\"broker\":\"external\"}],"
            + "\"calls\":[\"lamp\",\"Alarm\"]}";
    assertThat(FunctionSpecJson.write(read(json))).hasToString(json);
  }

  @Test
  void shouldTakeAsManyFunctionsToCallAsThereMayBe() {
    String most =
        IntStream.range(0, Route.MAX_MAY_CALL)
            .mapToObj(i -> "\"f" + i + '"')
            .collect(Collectors.joining(","));

    assertThat(read("{\"runtime\":\"java\",\"calls\":[" + most + "]}").mayCall())
        .hasSize(Route.MAX_MAY_CALL);
    assertThat(refusal("{\"runtime\":\"java\",\"calls\":[" + most + ",\"g\"]}"))
        .hasMessageContaining("at most " + Route.MAX_MAY_CALL);
  }

  @ParameterizedTest
  @CsvSource({
    "'\"64M\"', 67108864",
    "'\"64mb\"', 67108864",
    "'\"64MiB\"', 67108864",
    "'\"64Mi\"', 67108864",
    "'\"1.5G\"', 1610612736",
    "'\"65536K\"', 67108864",
    "'\"67108864\"', 67108864",
    "'\"67108864B\"', 67108864",
    "67108865, 67108865",
  })
  void shouldReadMemory(String memory, long bytes) {
    FunctionSpec spec = read("{\"runtime\":\"java\",\"memory\":" + memory + "}");
    assertThat(spec.memoryBytes()).isEqualTo(bytes);
    assertThat(FunctionSpecJson.read(FunctionSpecJson.write(spec))).isEqualTo(spec);
  }

  @ParameterizedTest
  @CsvSource({"500ms, 500", "10s, 10000", "2m, 120000", "PT10S, 10000", "PT0.2505S, 250"})
  void shouldReadTimeouts(String timeout, long millis) {
    FunctionSpec spec = read("{\"runtime\":\"java\",\"timeout\":\"" + timeout + "\"}");
    assertThat(spec.timeout()).hasMillis(millis);
    assertThat(FunctionSpecJson.read(FunctionSpecJson.write(spec))).isEqualTo(spec);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "runtime | {}",
        "runtime | {`runtime`:7}",
        "calls | {`runtime`:`java`,`calls`:`alarm`}",
        "calls | {`runtime`:`java`,`calls`:[7]}",
        "calls | {`runtime`:`java`,`calls`:[`no name`]}",
        "calls | {`runtime`:`java`,`calls`:[null]}",
        "calls | {`runtime`:`java`,`calls`:[`a`,`b`,`a`]}",
        "calls | {`runtime`:`java`,`calls`:[`calls`]}",
        "runtime | {`runtime`:`../x`}",
        "handlers | {`runtime`:`java`,`handlers`:0}",
        "handlers | {`runtime`:`java`,`handlers`:-1}",
        "handlers | {`runtime`:`java`,`handlers`:10000}",
        "handlers | {`runtime`:`java`,`handlers`:99999999999999999999}",
        "handlers | {`runtime`:`java`,`handlers`:1.5}",
        "handlers | {`runtime`:`java`,`handlers`:`2`}",
        "memory | {`runtime`:`java`,`memory`:`lots`}",
        "memory | {`runtime`:`java`,`memory`:`15M`}",
        "memory | {`runtime`:`java`,`memory`:`65G`}",
        "memory | {`runtime`:`java`,`memory`:`999999999999999T`}",
        "memory | {`runtime`:`java`,`memory`:-1}",
        "memory | {`runtime`:`java`,`memory`:true}",
        "cpus | {`runtime`:`java`,`cpus`:0}",
        "cpus | {`runtime`:`java`,`cpus`:65}",
        "cpus | {`runtime`:`java`,`cpus`:1e999}",
        "cpus | {`runtime`:`java`,`cpus`:`1`}",
        "timeout | {`runtime`:`java`,`timeout`:`10`}",
        "timeout | {`runtime`:`java`,`timeout`:10}",
        "timeout | {`runtime`:`java`,`timeout`:`99ms`}",
        "timeout | {`runtime`:`java`,`timeout`:`16m`}",
        "timeout | {`runtime`:`java`,`timeout`:`PT-10S`}",
        "networkAccess | {`runtime`:`java`,`networkAccess`:`yes`}",
        "environment | {`runtime`:`java`,`environment`:[]}",
        "environment | {`runtime`:`java`,`environment`:{`A`:1}}",
        "environment | {`runtime`:`java`,`environment`:{`1A`:`x`}}",
        "environment | {`runtime`:`java`,`environment`:{`A=B`:`x`}}",
        "environment.TINYFAAS_SOCKET | {`runtime`:`java`,`environment`:{`TINYFAAS_SOCKET`:`x`}}",
        "environment.A | {`runtime`:`java`,`environment`:{`A`:`a\\u0000b`}}",
        "environment.A | {`runtime`:`java`,`environment`:{`A`:`\\ud800`}}",
        "labels | {`runtime`:`java`,`labels`:{`A`:`x`}}",
        "labels | {`runtime`:`java`,`labels`:{`tinyfaas.function`:`x`}}",
        "entry | {`runtime`:`java`,`entry`:7}",
        "entry | {`runtime`:`java`,`entry`:``}",
        "entry | {`runtime`:`java`,`entry`:`/bin/sh`}",
        "entry | {`runtime`:`java`,`entry`:`bin/../../sh`}",
        "entry | {`runtime`:`java`,`entry`:`..`}",
        "access | {`runtime`:`java`,`access`:`everybody`}",
        "access | {`runtime`:`java`,`access`:1}",
        "observable | {`runtime`:`java`,`observable`:`true`}",
        "observable | {`runtime`:`java`,`observable`:`paths`}",
        "observable | {`runtime`:`java`,`observable`:1}",
        "link | {`runtime`:`java`,`link`:{`Title`:`x`}}",
        "link | {`runtime`:`java`,`link`:{`href`:`/x`}}",
        "link.title | {`runtime`:`java`,`link`:{`title`:`a\\nb`}}",
        "handler | {`runtime`:`java`,`handler`:2}",
        "delivery | {`runtime`:`java`,`delivery`:`later`}",
        "delivery | {`runtime`:`java`,`delivery`:true}",
        "async | {`runtime`:`java`,`async`:`3`}",
        "async | {`runtime`:`java`,`async`:[]}",
        "async.tries | {`runtime`:`java`,`async`:{`tries`:3}}",
        "async.retries | {`runtime`:`java`,`async.retries`:3}",
        "async.retries | {`runtime`:`java`,`async`:{`retries`:-1}}",
        "async.retries | {`runtime`:`java`,`async`:{`retries`:101}}",
        "async.retries | {`runtime`:`java`,`async`:{`retries`:`3`}}",
        "async.backoff | {`runtime`:`java`,`async`:{`backoff`:`99ms`}}",
        "async.backoff | {`runtime`:`java`,`async`:{`backoff`:`61m`}}",
        "async.backoff | {`runtime`:`java`,`async`:{`backoff`:1000}}",
        "async.backoff | {`runtime`:`java`,`async`:{`backoff`:`PT999999999999999H`}}",
        "async.maxAge | {`runtime`:`java`,`async`:{`maxAge`:`999ms`}}",
        "async.maxAge | {`runtime`:`java`,`async`:{`maxAge`:`31d`}}",
        "async.maxAge | {`runtime`:`java`,`async`:{`maxAge`:`999999999d`}}",
        "async.maxAge | {`runtime`:`java`,`async`:{`maxAge`:`a day`}}",
        "async.retryOn | {`runtime`:`java`,`async`:{`retryOn`:`error`}}",
        "async.retryOn | {`runtime`:`java`,`async`:{`retryOn`:[`error`,`never`]}}",
        "async.retryOn | {`runtime`:`java`,`async`:{`retryOn`:[1]}}",
        "async.onFailure | {`runtime`:`java`,`async`:{`onFailure`:`an alarm`}}",
        "async.onFailure | {`runtime`:`java`,`async`:{`onFailure`:[`alarm`]}}",
        "async.onFailure | {`runtime`:`java`,`async`:{`onFailure`:``}}",
      })
  void shouldRefuseWithTheFieldsName(String field, String json) {
    ProblemException problem = refusal(json.replace('`', '"'));
    assertThat(problem.type()).isEqualTo(ProblemType.INVALID_SPEC);
    assertThat(problem.field()).isEqualTo(field);
    assertThat(problem.getMessage()).isNotBlank();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{`tries`:3} | async has no field \"tries\"; its fields are retries, backoff, maxAge,"
            + " retryOn and onFailure.",
        "[] | async is \"[]\", but async is an object, such as {\"retries\": 3}.",
        "{`retries`:101} | async.retries is 101, but async.retries is a whole number from 0 to 100.",
        "{`backoff`:`2h`} | async.backoff is PT2H, but async.backoff is from 100ms to 1h, written"
            + " like 500ms, 10s, 2m or PT10S.",
        "{`retryOn`:[`ever`]} | async.retryOn is \"[\"ever\"]\", but async.retryOn is an array of"
            + " error, timeout, both or neither, such as [\"timeout\"]; in a query"
            + " async.retryOn=error,timeout.",
        "{`onFailure`:`a b`} | async.onFailure is \"a b\", but async.onFailure names a function,"
            + " which has 1 to 63 characters: lower-case letters, digits and inner hyphens, or"
            + " letters and digits of either case.",
      })
  void shouldSayWhatIsWrongWithWhatBecomesOfCalls(String async, String message) {
    assertThat(refusal("{\"runtime\":\"java\",\"async\":" + async.replace('`', '"') + "}"))
        .hasMessage(message);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '~',
      value = {"false, NO", "true, FUNCTION", "\"path\", PATH", "null, NO"})
  void shouldReadWhatCanBeObserved(String json, Exposure.Observable observable) {
    FunctionSpec spec = read("{\"runtime\":\"java\",\"observable\":" + json + "}");
    assertThat(spec.exposure().observable()).isEqualTo(observable);
    assertThat(read(FunctionSpecJson.write(spec).toString())).isEqualTo(spec);
  }

  @Test
  void shouldReadWhatBecomesOfCalls() {
    FunctionSpec spec =
        read(
            "{'runtime':'java','delivery':'durable','async':{'backoff':'2m','maxAge':'30d','retryOn':[]}}"
                .replace('\'', '"'));
    assertThat(spec.calls())
        .isEqualTo(new CallPolicy(true, 5, 120_000, 2_592_000_000L, Set.of(), Optional.empty()));
    assertThat(FunctionSpecJson.write(spec).path("async").path("maxAge").asText()).isEqualTo("30d");
    assertThat(read("{\"runtime\":\"java\",\"async\":null,\"delivery\":null}").calls())
        .isEqualTo(CallPolicy.DEFAULT);
  }

  /** As a manager wrote it that knew of no calls. */
  @Test
  void shouldGiveDefaultsOfCallsToWhatWasStoredWithoutThem() {
    FunctionSpec stored =
        read(
            "{\"runtime\":\"nodejs\",\"handlers\":2,\"environment\":{},\"memory\":\"128M\",\"cpus\":1.0,"
                + "\"timeout\":\"10s\",\"networkAccess\":false,\"labels\":{},\"access\":\"any\","
                + "\"observable\":false,\"link\":{}}");
    assertThat(stored.calls()).isEqualTo(CallPolicy.DEFAULT);
  }

  @Test
  void shouldMergeAPatchOfWhatBecomesOfCallsMemberByMember() {
    FunctionSpec spec =
        read(
            "{'runtime':'java','delivery':'durable','async':{'retries':3,'backoff':'2m','onFailure':'alarm'}}"
                .replace('\'', '"'));
    assertThat(patched(spec, "{'async':{'retries':null,'backoff':'5s'}}").calls())
        .isEqualTo(
            new CallPolicy(
                true,
                5,
                5_000,
                86_400_000,
                CallPolicy.DEFAULT.retryOn(),
                Optional.of(new FunctionName("alarm"))));
    assertThat(patched(spec, "{'async':{'onFailure':null}}").calls().onFailure()).isEmpty();
    assertThat(patched(spec, "{'delivery':null}").calls().durable()).isFalse();
    assertThat(patched(spec, "{'delivery':null,'async':null}").calls())
        .isEqualTo(CallPolicy.DEFAULT);
    assertThat(patched(spec, "{'handlers':2}").calls()).isEqualTo(spec.calls());
  }

  private static FunctionSpec patched(FunctionSpec spec, String patch) {
    return FunctionSpecJson.patch(
        spec, JsonDocument.parse(patch.replace('\'', '"').getBytes(UTF_8)));
  }

  @Test
  void shouldBoundTheEnvironment() {
    String big = "x".repeat(4097);
    assertThat(refusal("{\"runtime\":\"java\",\"environment\":{\"A\":\"" + big + "\"}}").field())
        .isEqualTo("environment.A");
    StringBuilder many = new StringBuilder("{\"runtime\":\"java\",\"environment\":{\"A\":\"\"");
    for (int i = 0; i < 64; i++) {
      many.append(",\"A").append(i).append("\":\"\"");
    }
    assertThat(refusal(many + "}}")).hasMessageContaining("at most 64");
    String value = "x".repeat(4000);
    StringBuilder large = new StringBuilder("{\"runtime\":\"java\",\"environment\":{\"A\":\"\"");
    for (int i = 0; i < 9; i++) {
      large.append(",\"A").append(i).append("\":\"").append(value).append('"');
    }
    assertThat(refusal(large + "}}")).hasMessageContaining("at most 32768");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"{\"runtime\":", "[]", "7", "{}{}", "{\"a\":1,\"a\":2}", "{'runtime':'java'}", "''"})
  void shouldRefuseWhatIsNotAJsonObject(String json) {
    ProblemException problem = refusal(json == null ? "" : json);
    assertThat(problem.type()).isEqualTo(ProblemType.INVALID_REQUEST);
    assertThat(problem).hasMessageNotContaining("com.fasterxml");
  }

  @Test
  void shouldMergeAPatch() {
    FunctionSpec spec =
        new FunctionSpec(
            "nodejs",
            4,
            Map.of("A", "1", "B", "2"),
            256 << 20,
            2,
            Duration.ofSeconds(5),
            true,
            Map.of("team", "a"),
            Optional.empty(),
            Exposure.DEFAULT,
            CallPolicy.DEFAULT,
            List.of(),
            List.of(),
            List.of());
    String patch =
        "{\"handlers\":null,\"memory\":\"64M\",\"environment\":{\"A\":null,\"C\":\"3\"},"
            + "\"labels\":null}";
    assertThat(FunctionSpecJson.patch(spec, JsonDocument.parse(patch.getBytes(UTF_8))))
        .isEqualTo(
            new FunctionSpec(
                "nodejs",
                1,
                Map.of("B", "2", "C", "3"),
                64 << 20,
                2,
                Duration.ofSeconds(5),
                true,
                Map.of(),
                Optional.empty(),
                Exposure.DEFAULT,
                CallPolicy.DEFAULT,
                List.of(),
                List.of(),
                List.of()));
  }

  @Test
  void shouldHideTheValuesOfVariablesAndNothingElse() {
    FunctionSpec spec =
        read(
            "{'runtime':'java','environment':{'A':'1','B':''},'labels':{'a':'1'}}"
                .replace('\'', '"'));
    assertThat(FunctionSpecJson.writeHidden(spec))
        .hasToString(
            FunctionSpecJson.write(spec)
                .toString()
                .replace("{\"A\":\"1\",\"B\":\"\"}", "{\"A\":\"***\",\"B\":\"***\"}"));
  }

  @Test
  void shouldKeepHiddenValuesThatAPatchNames() {
    FunctionSpec spec =
        read("{'runtime':'java','environment':{'A':'1','B':'2','C':'3'}}".replace('\'', '"'));
    String patch = "{'environment':{'A':'***','B':null,'C':'4'}}".replace('\'', '"');
    assertThat(
            FunctionSpecJson.patch(spec, JsonDocument.parse(patch.getBytes(UTF_8))).environment())
        .isEqualTo(Map.of("A", "1", "C", "4"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "environment.A | {'environment':{'A':'***'}}",
        "runtime | {'runtime':null}",
        "handlers | {'handlers':0}",
        "handlers | {'handlers':{'a':null}}",
        "environment | {'environment':'x'}",
        "unknown | {'unknown':1}",
        "async | {'async':3}",
        "async.tries | {'async':{'tries':3}}",
        "async.retries | {'async':{'retries':{}}}"
      })
  void shouldCheckAPatchAsASpecification(String field, String patch) {
    FunctionSpec spec = read("{\"runtime\":\"java\"}");
    ProblemException problem =
        catchThrowableOfType(
            ProblemException.class,
            () ->
                FunctionSpecJson.patch(
                    spec, JsonDocument.parse(patch.replace('\'', '"').getBytes(UTF_8))));
    assertThat(problem.field()).isEqualTo(field);
  }

  @Test
  void shouldSayWhereADocumentThatBreaksOffBegan() {
    assertThat(refusal("{\"handlers\":2").getMessage())
        .startsWith("This is not JSON at line 1, column 14: ")
        .endsWith("(start marker at line: 1, column: 1)");
  }
}
