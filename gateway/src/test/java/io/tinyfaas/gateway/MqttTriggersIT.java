package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.mqtt.MqttTrigger;
import io.tinyfaas.contract.mqtt.MqttTrigger.Source;
import io.tinyfaas.contract.mqtt.TopicFilter;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.harness.Command;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What devices publish becomes calls and requests, with Mosquitto's own clients. */
@TestInstance(Lifecycle.PER_CLASS)
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class MqttTriggersIT {

  private static final Duration MOMENT = Duration.ofSeconds(20);

  /** Calls that failed are tried again later and later. */
  private static final Duration MENDED = Duration.ofMinutes(2);

  /** What the function got and did, in the order in which it was asked. */
  private record Heard(Map<String, String> headers, String body) {}

  private final List<Heard> heard = new CopyOnWriteArrayList<>();
  private MqttGateway gateway;
  private volatile boolean broken;

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    gateway = new MqttGateway(folder, Map.of("TINYFAAS_CALLS_MAX_BYTES", "1M"), this::function);
    gateway
        .system()
        .serve(
            route("f", "shed/+/temperature", Optional.of("devices/sensor/alarms")),
            route("g", "shed/7/#", Optional.empty()),
            route("full", "bulk/#", Optional.empty()));
    gateway.register(
        MqttGateway.withTopics("sensor", List.of("shed/7/#", "bulk/#"), List.of("shed/+/set")));
  }

  @AfterAll
  void stop() {
    gateway.close();
  }

  @BeforeEach
  void forget() {
    heard.clear();
    broken = false;
  }

  private void function(HttpServerRequest request, Buffer body) {
    if (broken) {
      request.response().setStatusCode(503).end();
      return;
    }
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    request.headers().forEach(header -> headers.put(header.getKey(), header.getValue()));
    heard.add(new Heard(headers, body.toString()));
    String path = headers.getOrDefault("X-tinyFaaS-Path", "");
    if (path.startsWith("/status/")) {
      request.response().setStatusCode(Integer.parseInt(path.substring(8))).end("as asked");
    } else if (!path.equals("/silent")) {
      request
          .response()
          .putHeader("Content-Type", "text/x-answer")
          .putHeader("ETag", "\"1\"")
          .putHeader("X-Other", "not told")
          .end("did " + body);
    }
  }

  private Route route(String function, String topic, Optional<String> reply) {
    return new Route(
        new FunctionName(function),
        1,
        30_000,
        new Exposure(Exposure.Access.DEVICE, Exposure.Observable.NO, Map.of()),
        new CallPolicy(false, 100, 100, 86_400_000, CallPolicy.DEFAULT.retryOn(), Optional.empty()),
        List.of(),
        List.of(new MqttTrigger(new TopicFilter(topic), 1, reply, false, Source.BOX)),
        List.of(),
        List.of(gateway.system().handler()));
  }

  private MosquittoClient device(String... more) {
    return MosquittoClient.plain(gateway, "sensor", MqttGateway.KEY).with(more);
  }

  /** Asks with a Response Topic; its status, content type, user properties and payload. */
  private String ask(String topic, String message, String... more) {
    List<String> command = new ArrayList<>(List.of("mosquitto_rr", "-V", "5"));
    command.addAll(List.of("-h", "127.0.0.1", "-p", Integer.toString(gateway.port())));
    command.addAll(List.of("-u", "sensor", "-P", MqttGateway.KEY, "-W", "60"));
    command.addAll(List.of("-t", topic, "-e", "devices/sensor/answers", "-m", message, "-q", "1"));
    command.addAll(List.of("-F", "%D|%C|%P|%p"));
    command.addAll(List.of("-D", "publish", "correlation-data", "c-1"));
    command.addAll(List.of(more));
    return Command.of(command).succeed().output();
  }

  @ParameterizedTest
  @ValueSource(strings = {"311", "5"})
  void shouldCallWhatAMessageIsForPassItOnAndReply(String version) {
    try (Command.Running alarms =
        device("-V", version).subscribe("-C", "1", "-q", "1", "-t", "devices/sensor/alarms")) {
      MosquittoClient.awaitSubscribed(alarms);
      device("-V", version).publish("-q", "1", "-t", "shed/7/temperature", "-m", "21");

      alarms.awaitExit(MOMENT);
      assertThat(alarms.output()).contains("did 21");
    }
    eventually().until(() -> heard.size() == 2);
    assertThat(heard)
        .allSatisfy(
            one ->
                assertThat(one.headers())
                    .containsEntry("X-tinyFaaS-MQTT-Topic", "shed/7/temperature")
                    .containsEntry("X-tinyFaaS-MQTT-QoS", "1")
                    .containsEntry("X-tinyFaaS-Device", "sensor")
                    .containsEntry("X-tinyFaaS-Protocol", "mqtt")
                    .containsEntry("X-tinyFaaS-Attempt", "1")
                    .containsKeys("X-tinyFaaS-Call", "X-tinyFaaS-Peer")
                    .doesNotContainKeys("X-tinyFaaS-MQTT-Retained", "X-tinyFaaS-MQTT-Duplicate"));
  }

  @Test
  void shouldAnswerARequestAtItsResponseTopic() {
    String answer =
        ask(
            "functions/f/a b/c",
            "Ada",
            "-D",
            "publish",
            "content-type",
            "text/x-question",
            "-D",
            "publish",
            "user-property",
            "Accept",
            "text/x-answer");

    assertThat(answer)
        .startsWith("c-1|text/x-answer|")
        .contains("status:200", "etag:\"1\"", "|did Ada")
        .doesNotContain("not told", "reason:");
    assertThat(heard.getFirst().headers())
        .containsEntry("X-tinyFaaS-Path", "/a%20b/c")
        .containsEntry("X-tinyFaaS-MQTT-Topic", "functions/f/a%20b/c")
        .containsEntry("Content-Type", "text/x-question")
        .containsEntry("Accept", "text/x-answer")
        .containsEntry("X-tinyFaaS-Device", "sensor")
        .doesNotContainKey("X-tinyFaaS-Call");
  }

  @ParameterizedTest
  @CsvSource({
    "functions/f/status/418, status:418, as asked",
    "functions/unknown, status:404, no function of this name is deployed",
  })
  void shouldAnswerWithAStatusWhereItFails(String topic, String status, String sentence) {
    assertThat(ask(topic, "x")).contains(status, sentence);
  }

  /** The function has 30 s for it. */
  @Test
  void shouldWaitNoLongerThanTheRequestIsValid() {
    assertThat(ask("functions/f/silent", "x", "-D", "publish", "message-expiry-interval", "1"))
        .contains("status:504", "reason:the function did not answer in time");
  }

  @Test
  void shouldAcceptACallWhereOneIsAskedFor() {
    assertThat(
            ask(
                "functions/f",
                "later",
                "-D",
                "publish",
                "user-property",
                "prefer",
                "respond-async"))
        .containsPattern("status:202 ?.*call:[\\w-]{22}");
    eventually().until(() -> heard.size() == 1);
    assertThat(heard.getFirst().headers()).containsKey("X-tinyFaaS-Call");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "1", "2"})
  void shouldRunARequestThatNobodyWaitsFor(String qos) {
    device("-V", "5").publish("-q", qos, "-t", "functions/g", "-m", "report");
    eventually().until(() -> heard.size() == 1);
    assertThat(heard.getFirst().headers().containsKey("X-tinyFaaS-Call"))
        .isEqualTo(!qos.equals("0"));
  }

  /** Also not where it may read only: it would have the gateway write there. */
  @ParameterizedTest
  @ValueSource(strings = {"shed/8/set", "devices/other/x", "functions/f/result", "shed/+/set"})
  void shouldRefuseAResponseTopicThatIsNotTheDevices(String topic) {
    Command.Result refused =
        device("-V", "5")
            .tryToPublish(
                "-d",
                "-q",
                "1",
                "-t",
                "functions/f",
                "-m",
                "x",
                "-D",
                "publish",
                "response-topic",
                topic);
    assertThat(heard).isEmpty();
    if (!topic.contains("+")) { // which the client itself refuses
      assertThat(refused.output()).contains("RC:135");
    }
  }

  /** What was acknowledged runs once the function is mended; what was refused does not. */
  @Test
  void shouldSayThatThereIsNoRoomAndLoseNothingThatItTook() {
    broken = true;
    Set<String> taken = new TreeSet<>();
    int refused = 0;
    for (int number = 0; number < 40; number++) {
      String message = number + "-" + "x".repeat(60_000);
      String said =
          device("-V", "5")
              .tryToPublish("-d", "-q", "1", "-t", "bulk/" + number, "-m", message)
              .output();
      if (said.contains("RC:151")) {
        refused++;
      } else if (said.contains("RC:0") || said.contains("RC:16")) {
        taken.add(message);
      }
    }
    assertThat(refused).isPositive();
    assertThat(taken).isNotEmpty();
    broken = false;
    within(MENDED)
        .untilAsserted(
            () -> assertThat(heard.stream().map(Heard::body).toList()).containsAll(taken));
    within(MENDED)
        .until(
            () -> {
              device("-V", "5").publish("-q", "1", "-t", "bulk/again", "-m", "room");
              return heard.stream().anyMatch(one -> one.body().equals("room"));
            });
  }
}
