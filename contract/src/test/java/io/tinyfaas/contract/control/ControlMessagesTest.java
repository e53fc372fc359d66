package io.tinyfaas.contract.control;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tinyfaas.contract.mqtt.MqttTrigger;
import io.tinyfaas.contract.mqtt.TopicFilter;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.contract.route.RetryOn;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.contract.route.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ControlMessagesTest {

  private static final Path GOLDEN = Path.of("golden/control");

  private static final String EXPOSURE =
      "\"exposure\":{\"access\":\"any\",\"observable\":false,\"link\":{}}";

  private static final RouteTable TABLE =
      new RouteTable(
          new Revision(7, 42),
          List.of(
              new Route(
                  new FunctionName("sieve"),
                  3,
                  10_000,
                  new Exposure(
                      Exposure.Access.DEVICE,
                      Exposure.Observable.FUNCTION,
                      Map.of("rt", "primes", "title", "Primes to 1,000")),
                  new CallPolicy(
                      true,
                      3,
                      250,
                      3_600_000,
                      Set.of(RetryOn.TIMEOUT),
                      Optional.of(new FunctionName("alarm"))),
                  List.of(
                      new Schedule(
                          Optional.of("0 6 * * 1-5"),
                          Optional.empty(),
                          "Europe/Berlin",
                          "PUT",
                          "/report",
                          "short",
                          Schedule.Missed.SKIP,
                          Schedule.Overlap.ALLOW),
                      new Schedule(
                          Optional.empty(),
                          Optional.of(90_000L),
                          "UTC",
                          "POST",
                          "",
                          "",
                          Schedule.Missed.ONCE,
                          Schedule.Overlap.SKIP)),
                  List.of(
                      new MqttTrigger(
                          new TopicFilter("shed/+/temperature"),
                          1,
                          Optional.of("shed/alarms"),
                          false,
                          MqttTrigger.Source.BOX),
                      new MqttTrigger(
                          new TopicFilter("plant/#"),
                          2,
                          Optional.empty(),
                          true,
                          MqttTrigger.Source.EXTERNAL)),
                  List.of(new FunctionName("lamp"), new FunctionName("alarm")),
                  List.of(
                      new Handler("0a1b2c3d", new HandlerEndpoint.Unix("sieve/0a1b2c3d/http.sock")),
                      new Handler("4e5f6071", new HandlerEndpoint.Tcp("10.200.0.2", 8000)))),
              new Route(
                  new FunctionName("Waiting"),
                  1,
                  500,
                  new Exposure(Exposure.Access.ANY, Exposure.Observable.PATH, Map.of()),
                  CallPolicy.DEFAULT,
                  List.of(),
                  List.of())));

  private static final GatewayStatus STATUS =
      new GatewayStatus(true, "f3c1", new Revision(7, 42), new Revision(6, 2), Set.of("99aabbcc"));

  @Test
  void shouldReadAndWriteTheGoldenRouteTable() throws IOException {
    byte[] golden = Files.readAllBytes(GOLDEN.resolve("route-table.json"));

    assertThat(ControlMessages.decodeRouteTable(golden)).isEqualTo(TABLE);
    assertThat(new String(ControlMessages.encode(TABLE), UTF_8))
        .isEqualToIgnoringWhitespace(new String(golden, UTF_8));
  }

  @Test
  void shouldTakeTheDefaultsOfCallsWhereAnOlderManagerSaysNothingOfThem() throws IOException {
    String older =
        "{\"revision\":{\"epoch\":1,\"number\":1},\"routes\":[{\"function\":\"a\",\"version\":1,"
            + "\"timeoutMillis\":1,"
            + EXPOSURE
            + ",\"handlers\":[]}]}";

    assertThat(ControlMessages.decodeRouteTable(older.getBytes(UTF_8)).routes())
        .containsExactly(
            new Route(
                new FunctionName("a"),
                1,
                1,
                Exposure.DEFAULT,
                CallPolicy.DEFAULT,
                List.of(),
                List.of()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "\"a\"", "[\"no name\"]", "[\"a\",\"a\"]", "[null]", "[7]"})
  void shouldRefuseWhatAreNoFunctionsToCall(String mayCall) {
    assertThatThrownBy(() -> ControlMessages.decodeRouteTable(tableWithMayCall(mayCall)))
        .isInstanceOf(IOException.class);
  }

  @Test
  void shouldRefuseMoreFunctionsToCallThanThereMayBe() throws IOException {
    List<String> most =
        IntStream.range(0, Route.MAX_MAY_CALL).mapToObj(i -> "\"f" + i + '"').toList();

    assertThat(
            ControlMessages.decodeRouteTable(tableWithMayCall(most.toString()))
                .routes()
                .getFirst()
                .mayCall())
        .hasSize(Route.MAX_MAY_CALL);
    String more = most.toString().replace("]", ",\"f\"]");
    assertThatThrownBy(() -> ControlMessages.decodeRouteTable(tableWithMayCall(more)))
        .isInstanceOf(IOException.class);
  }

  private static byte[] tableWithMayCall(String mayCall) {
    return ("{\"revision\":{\"epoch\":1,\"number\":1},\"routes\":[{\"function\":\"a\",\"version\":1,"
            + "\"timeoutMillis\":1,"
            + EXPOSURE
            + ",\"mayCall\":"
            + mayCall
            + ",\"handlers\":[]}]}")
        .getBytes(UTF_8);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '~',
      value = {"false, NO", "true, FUNCTION", "\"path\", PATH"})
  void shouldReadAndWriteWhatCanBeObserved(String json, Exposure.Observable observable)
      throws IOException {
    RouteTable table = ControlMessages.decodeRouteTable(observable(json));
    assertThat(table.routes().getFirst().exposure().observable()).isEqualTo(observable);
    assertThat(new String(ControlMessages.encode(table), UTF_8))
        .contains("\"observable\":" + json + ",");
  }

  @ParameterizedTest
  @ValueSource(strings = {"null", "\"paths\"", "\"true\"", "1", "[\"path\"]", "{}"})
  void shouldRefuseWhatSaysNotWhatCanBeObserved(String json) {
    assertThatThrownBy(() -> ControlMessages.decodeRouteTable(observable(json)))
        .isInstanceOf(IOException.class);
  }

  private static byte[] observable(String json) {
    String exposure = EXPOSURE.replace("\"observable\":false", "\"observable\":" + json);
    String table =
        "{\"revision\":{\"epoch\":1,\"number\":1},\"routes\":[{\"function\":\"a\",\"version\":1,"
            + "\"timeoutMillis\":1,"
            + exposure
            + ",\"handlers\":[]}]}";
    return table.getBytes(UTF_8);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "{}",
        "{\"durable\":false,\"retries\":5,\"backoffMillis\":1000,\"maxAgeMillis\":1000}",
        "{\"durable\":null,\"retries\":5,\"backoffMillis\":1000,\"maxAgeMillis\":1000,\"retryOn\":[]}",
        "{\"durable\":false,\"retries\":101,\"backoffMillis\":1000,\"maxAgeMillis\":1000,\"retryOn\":[]}",
        "{\"durable\":false,\"retries\":5,\"backoffMillis\":99,\"maxAgeMillis\":1000,\"retryOn\":[]}",
        "{\"durable\":false,\"retries\":5,\"backoffMillis\":1000,\"maxAgeMillis\":999,\"retryOn\":[]}",
        "{\"durable\":false,\"retries\":5,\"backoffMillis\":1000,\"maxAgeMillis\":1000,"
            + "\"retryOn\":[\"ever\"]}",
        "{\"durable\":false,\"retries\":5,\"backoffMillis\":1000,\"maxAgeMillis\":1000,\"retryOn\":[],"
            + "\"onFailure\":\"no name\"}"
      })
  void shouldRefuseWhatIsNoCallPolicy(String calls) {
    String table =
        "{\"revision\":{\"epoch\":1,\"number\":1},\"routes\":[{\"function\":\"a\",\"version\":1,"
            + "\"timeoutMillis\":1,"
            + EXPOSURE
            + ",\"calls\":"
            + calls
            + ",\"handlers\":[]}]}";

    assertThatThrownBy(() -> ControlMessages.decodeRouteTable(table.getBytes(UTF_8)))
        .isInstanceOf(IOException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"cron\":\"0 6 * * *\",\"everyMillis\":1000}",
        "{\"everyMillis\":999}",
        "{\"everyMillis\":31536000001}",
        "{\"everyMillis\":1000,\"zone\":\"Mars\"}",
        "{\"everyMillis\":1000,\"method\":\"BREW\"}",
        "{\"everyMillis\":1000,\"path\":\"a\"}",
        "{\"everyMillis\":1000,\"missed\":\"never\"}",
        "{\"everyMillis\":1000,\"overlap\":\"never\"}"
      })
  void shouldRefuseWhatIsNoSchedule(String changed) throws IOException {
    ObjectMapper json = new ObjectMapper();
    ObjectNode schedule =
        (ObjectNode)
            json.readTree(
                "{\"zone\":\"UTC\",\"method\":\"POST\",\"path\":\"\",\"body\":\"\","
                    + "\"missed\":\"once\",\"overlap\":\"skip\"}");
    schedule.setAll((ObjectNode) json.readTree(changed));
    String table =
        "{\"revision\":{\"epoch\":1,\"number\":1},\"routes\":[{\"function\":\"a\",\"version\":1,"
            + "\"timeoutMillis\":1,"
            + EXPOSURE
            + ",\"schedules\":["
            + schedule
            + "],\"handlers\":[]}]}";

    assertThatThrownBy(() -> ControlMessages.decodeRouteTable(table.getBytes(UTF_8)))
        .isInstanceOf(IOException.class);
  }

  @Test
  void shouldReadAndWriteTheGoldenQuestionAboutSchedulesAndItsAnswer() throws IOException {
    UUID id = UUID.fromString("5d6a7c0e-2f4b-4d0a-9f38-1c2b3a495867");
    SchedulesRequest request = new SchedulesRequest(id, new FunctionName("report"));
    SchedulesReply reply =
        new SchedulesReply(
            id,
            List.of(
                new ScheduleStatus(
                    schedule(
                        Optional.of("0 6 * * *"),
                        Optional.empty(),
                        "Europe/Berlin",
                        "",
                        Schedule.Missed.ONCE,
                        Schedule.Overlap.SKIP),
                    ScheduleStatus.State.WAITING_FOR_CLOCK,
                    Optional.of(Instant.parse("2026-11-30T05:00:00Z")),
                    Optional.empty()),
                new ScheduleStatus(
                    schedule(
                        Optional.empty(),
                        Optional.of(90_000L),
                        "UTC",
                        "/short",
                        Schedule.Missed.ALL,
                        Schedule.Overlap.ALLOW),
                    ScheduleStatus.State.RUNNING,
                    Optional.of(Instant.parse("2026-11-30T21:00:00.250Z")),
                    Optional.of(Instant.parse("2026-11-30T21:01:30.250Z")))));

    byte[] question = Files.readAllBytes(GOLDEN.resolve("schedules-request.json"));
    assertThat(ControlMessages.decodeSchedulesRequest(question)).isEqualTo(request);
    assertThat(new String(ControlMessages.encode(request), UTF_8))
        .isEqualToIgnoringWhitespace(new String(question, UTF_8));
    byte[] answer = Files.readAllBytes(GOLDEN.resolve("schedules-reply.json"));
    assertThat(ControlMessages.decodeSchedulesReply(answer)).isEqualTo(reply);
    assertThat(new String(ControlMessages.encode(reply), UTF_8))
        .isEqualToIgnoringWhitespace(new String(answer, UTF_8));
  }

  private static Schedule schedule(
      Optional<String> cron,
      Optional<Long> everyMillis,
      String zone,
      String path,
      Schedule.Missed missed,
      Schedule.Overlap overlap) {
    return new Schedule(cron, everyMillis, zone, "POST", path, "", missed, overlap);
  }

  @Test
  void shouldReadAndWriteTheGoldenGatewayStatus() throws IOException {
    byte[] golden = Files.readAllBytes(GOLDEN.resolve("gateway-status.json"));

    assertThat(ControlMessages.decodeGatewayStatus(golden)).isEqualTo(STATUS);
    assertThat(new String(ControlMessages.encode(STATUS), UTF_8))
        .isEqualToIgnoringWhitespace(new String(golden, UTF_8));
  }

  @Test
  void shouldPassOverAFieldFromALaterVersion() throws IOException {
    byte[] later =
        "{\"revision\":{\"epoch\":1,\"number\":2,\"site\":\"barn\"},\"routes\":[],\"more\":1}"
            .getBytes(UTF_8);

    assertThat(ControlMessages.decodeRouteTable(later))
        .isEqualTo(new RouteTable(new Revision(1, 2), List.of()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"revision\":{\"epoch\":1},\"routes\":[]}",
        "{\"revision\":{\"epoch\":-1,\"number\":1},\"routes\":[]}",
        "{\"revision\":{\"epoch\":1,\"number\":1},\"routes\":[{}]}",
        "{\"revision\":{\"epoch\":1,\"number\":1},\"routes\":[null]}",
        "{\"revision\":{\"epoch\":1,\"number\":1},\"routes\":[]} trailing",
        "{\"revision\":{\"epoch\":1,\"number\":1},\"routes\":[{\"function\":\"a\",\"version\":1,"
            + "\"timeoutMillis\":1,"
            + EXPOSURE
            + ",\"handlers\":[{\"id\":\"x\",\"endpoint\":\"unix:../x\"}]}]}",
        "{\"revision\":{\"epoch\":1,\"number\":1},\"routes\":[{\"function\":\"a\",\"version\":1,"
            + "\"timeoutMillis\":1,\"exposure\":{\"access\":\"all\",\"observable\":false,\"link\":{}},"
            + "\"handlers\":[]}]}",
        "{\"revision\":{\"epoch\":1,\"number\":1},\"routes\":["
            + "{\"function\":\"a\",\"version\":1,\"timeoutMillis\":1,"
            + EXPOSURE
            + ",\"handlers\":[]},"
            + "{\"function\":\"a\",\"version\":1,\"timeoutMillis\":1,"
            + EXPOSURE
            + ",\"handlers\":[]}]}"
      })
  void shouldRefuseWhatIsNotARouteTable(String message) {
    assertThatThrownBy(() -> ControlMessages.decodeRouteTable(message.getBytes(UTF_8)))
        .isInstanceOf(IOException.class);
  }

  @Test
  void shouldRefuseAMessageAboveTheBound() {
    assertThatThrownBy(
            () -> ControlMessages.decodeRouteTable(new byte[ControlTopics.MAX_MESSAGE_BYTES + 1]))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("control message of");
  }
}
