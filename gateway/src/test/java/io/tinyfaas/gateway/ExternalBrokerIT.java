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
import io.tinyfaas.harness.Broker;
import io.tinyfaas.harness.Command;
import io.tinyfaas.harness.Seed;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The packaged gateway makes calls of what a broker of somebody else has. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class ExternalBrokerIT {

  private static final Duration RECONNECTED = Duration.ofMinutes(2);

  @RegisterExtension final Seed seed = new Seed();

  @TempDir Path folder;

  /** What the function got and did, in the order in which it was asked. */
  private record Heard(Map<String, String> headers, String body) {}

  private final List<Heard> heard = new CopyOnWriteArrayList<>();
  private final Broker other = Broker.ofSomebodyElse();
  private ServedGateway system;
  private volatile int status = 200;

  @BeforeEach
  void startBroker() {
    other.start();
  }

  @AfterEach
  void stop() {
    if (system != null) {
      system.close();
    }
    other.close();
  }

  private void function(HttpServerRequest request, Buffer body) {
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    request.headers().forEach(header -> headers.put(header.getKey(), header.getValue()));
    if (status == 200) {
      heard.add(new Heard(headers, body.toString()));
    }
    request.response().setStatusCode(status).end("done");
  }

  private void start(Map<String, String> more) {
    Map<String, String> environment = new TreeMap<>();
    environment.put("TINYFAAS_MQTT_BROKER", "mqtt://127.0.0.1:" + other.port());
    environment.put("TINYFAAS_MQTT_BROKER_USER", "manager");
    environment.put("TINYFAAS_MQTT_BROKER_PASSWORD", Broker.MANAGER_PASSWORD);
    environment.putAll(more);
    system = new ServedGateway(folder, environment, this::function);
  }

  private static MqttTrigger trigger(String topic, int qos, boolean shared) {
    return new MqttTrigger(new TopicFilter(topic), qos, Optional.empty(), shared, Source.EXTERNAL);
  }

  private Route route(String function, MqttTrigger... triggers) {
    return new Route(
        new FunctionName(function),
        1,
        10_000,
        new Exposure(Exposure.Access.DEVICE, Exposure.Observable.NO, Map.of()),
        CallPolicy.DEFAULT,
        List.of(),
        List.of(triggers),
        List.of(),
        List.of(system.handler()));
  }

  private String state() {
    return new JsonObject(system.process().get("/q/health/ready").body())
        .getJsonArray("checks").stream()
            .map(JsonObject.class::cast)
            .map(
                check -> check.getJsonObject("data", new JsonObject()).getString("external-broker"))
            .filter(state -> state != null)
            .findFirst()
            .orElseThrow();
  }

  private void awaitState(String beginning) {
    within(RECONNECTED).untilAsserted(() -> assertThat(state()).startsWith(beginning));
  }

  /**
   * @return whether the broker has acknowledged it
   */
  private boolean published(String topic, String message, int qos, String... more) {
    List<String> command =
        new ArrayList<>(
            List.of("mosquitto_pub", "-h", "127.0.0.1", "-p", Integer.toString(other.port())));
    command.addAll(List.of("-u", "manager", "-P", Broker.MANAGER_PASSWORD, "-V", "mqttv5"));
    command.addAll(List.of("-t", topic, "-m", message, "-q", Integer.toString(qos)));
    command.addAll(List.of(more));
    return Command.of(command).run().exitCode() == 0;
  }

  private void publish(String topic, String message, int qos, String... more) {
    assertThat(published(topic, message, qos, more)).isTrue();
  }

  private List<String> bodies() {
    return heard.stream().map(Heard::body).toList();
  }

  @Test
  void shouldCallWithWhatIsSaidOfAMessage() {
    start(Map.of());
    publish("plant/1/state", "kept", 1, "-r");
    system.serve(
        route("f", trigger("plant/#", 2, false)), route("g", trigger("plant/+/t", 1, true)));
    awaitState("connected");
    eventually().until(() -> !heard.isEmpty());
    assertThat(heard.getFirst().headers())
        .containsEntry("X-tinyFaaS-MQTT-Topic", "plant/1/state")
        .containsEntry("X-tinyFaaS-MQTT-Retained", "true")
        .containsEntry("X-tinyFaaS-Method", "POST")
        .containsEntry("X-tinyFaaS-Protocol", "mqtt")
        .containsEntry("X-tinyFaaS-Attempt", "1")
        .doesNotContainKeys("X-tinyFaaS-Device", "X-tinyFaaS-Peer", "X-tinyFaaS-MQTT-Left-Out");
    heard.clear();

    publish(
        "plant/Halle 1/t",
        "21",
        2,
        "-D",
        "publish",
        "content-type",
        "application/json",
        "-D",
        "publish",
        "user-property",
        "line",
        "A",
        "-D",
        "publish",
        "user-property",
        "X-tinyFaaS-Device",
        "me",
        "-D",
        "publish",
        "user-property",
        "Ort",
        "Łódź");
    eventually().until(() -> heard.size() >= 2);
    assertThat(heard)
        .allSatisfy(
            one ->
                assertThat(one.headers())
                    .containsEntry("X-tinyFaaS-MQTT-Topic", "plant/Halle%201/t")
                    .containsEntry("Content-Type", "application/json")
                    .containsEntry("line", "A")
                    .containsEntry("X-tinyFaaS-MQTT-Left-Out", "2")
                    .doesNotContainKeys("X-tinyFaaS-Device", "X-tinyFaaS-MQTT-Retained"));
    publish("plant/1/end", "end", 0);
    eventually().until(() -> bodies().contains("end"));
    assertThat(bodies())
        .as("one call for each of the triggers")
        .containsExactlyInAnyOrder("21", "21", "end");
    assertThat(system.process().get("/q/metrics").body())
        .contains("tinyfaas_external_broker_connected 1.0");
  }

  @Test
  void shouldFollowTheRouteTable() {
    start(Map.of());
    system.serve(route("f", trigger("a", 1, false), trigger("b", 1, false)));
    awaitState("connected");
    publish("a", "one", 1);
    eventually().until(() -> bodies().contains("one"));

    system.manager().apply(1, 2, route("f", trigger("b", 1, false), trigger("c", 1, false)));
    publish("a", "two", 1);
    eventually()
        .until(
            () -> {
              publish("c", "three", 1);
              return bodies().contains("three");
            });
    publish("b", "four", 1);
    eventually().until(() -> bodies().contains("four"));
    assertThat(bodies()).doesNotContain("two");
  }

  /** What it was told to be safe runs, whoever of the two is away meanwhile. */
  @Test
  @Tag("slow")
  void shouldLoseNothingThatWasAcknowledged() {
    start(Map.of());
    system.serve(route("f", trigger("plant/#", 2, false)));
    awaitState("connected");
    Random random = seed.random();
    Set<String> acknowledged = new TreeSet<>();
    for (int turn = 0; turn < 6; turn++) {
      for (int number = 0; number < 40; number++) {
        String message = turn + "-" + number;
        if (published("plant/" + number, message, 1 + number % 2)) {
          acknowledged.add(message);
        }
        if (number == 10 + random.nextInt(20)) {
          if (turn % 2 == 0) {
            other.stop();
            other.start();
          } else {
            system.process().kill();
            system.startAgain();
          }
        }
      }
    }
    assertThat(acknowledged).hasSizeGreaterThan(200);
    within(RECONNECTED)
        .untilAsserted(() -> assertThat(Set.copyOf(bodies())).containsAll(acknowledged));
  }

  @Test
  void shouldSubscribeAgainWhereTheBrokerHasLostItsSession() {
    start(Map.of());
    system.serve(route("f", trigger("plant/#", 1, false)));
    awaitState("connected");
    other.kill();
    other.forget();
    awaitState("not connected");
    assertThat(system.process().get("/q/health/ready").statusCode()).isEqualTo(200);
    other.start();
    awaitState("connected");
    publish("plant/1", "after", 1);
    eventually().until(() -> bodies().contains("after"));
    assertThat(lines("external-broker-connected")).hasSize(2);
    assertThat(lines("external-broker-connected").getLast()).contains("session=new");
  }

  private List<String> lines(String event) {
    return system.process().log().stream().filter(line -> line.contains("event=" + event)).toList();
  }

  @Test
  void shouldEndWhatNobodyWantsAnyMoreThatAnEarlierLifeHadSubscribed() {
    start(Map.of());
    system.serve(route("f", trigger("old/#", 1, false)));
    awaitState("connected");
    system.process().kill();
    system.manager().publish(1, 2, route("f", trigger("new/#", 1, false)));
    system.startAgain();
    awaitState("connected");
    publish("new/1", "wanted", 1);
    eventually().until(() -> bodies().contains("wanted"));
    eventually()
        .untilAsserted(
            () ->
                assertThat(Files.readString(folder.resolve("calls/external-broker")))
                    .contains("new/#"));
    assertThat(lines("external-broker-connected").getLast()).contains("session=resumed");
  }

  @Test
  void shouldSayThatThePasswordIsWrongAndTryOn() throws IOException {
    Path password = Files.writeString(folder.resolve("password"), "wrong");
    start(Map.of("TINYFAAS_MQTT_BROKER_PASSWORD_FILE", password.toString()));
    system.serve(route("f", trigger("plant/#", 1, false)));
    awaitState("not connected: it refuses the connection: ");
    assertThat(system.process().get("/q/health/ready").statusCode()).isEqualTo(200);
    assertThat(system.process().get("/q/metrics").body())
        .contains("tinyfaas_external_broker_connected 0.0");
    Files.writeString(password, Broker.MANAGER_PASSWORD);
    awaitState("connected");
    assertThat(lines("external-broker-lost")).hasSize(1);
  }

  @Test
  void shouldNotWaitForeverForABrokerThatNeverAnswers() throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
      start(Map.of("TINYFAAS_MQTT_BROKER", "mqtt://127.0.0.1:" + silent.getLocalPort()));
      system.serve(route("f", trigger("plant/#", 1, false)));
      awaitState("not connected: it does not answer within 10 s");
      assertThat(system.process().get("/q/health/ready").statusCode()).isEqualTo(200);
    }
  }

  /** Its acknowledgements come back once the function, whose calls fail, is mended. */
  @Test
  void shouldLeaveWithTheBrokerWhatItHasNoRoomFor() {
    start(Map.of("TINYFAAS_CALLS_MAX_BYTES", "1M"));
    CallPolicy patient =
        new CallPolicy(false, 100, 100, 86_400_000, CallPolicy.DEFAULT.retryOn(), Optional.empty());
    status = 503;
    Route route = route("f", trigger("plant/#", 1, false));
    system.serve(
        new Route(
            route.function(),
            1,
            10_000,
            Exposure.DEFAULT,
            patient,
            List.of(),
            route.triggers(),
            List.of(),
            route.handlers()));
    awaitState("connected");
    Set<String> sent = new TreeSet<>();
    for (int number = 0; number < 40; number++) {
      String message = number + "-" + "x".repeat(60_000);
      publish("plant/" + number, message, 1);
      sent.add(message);
    }
    awaitState("connected, but nothing is taken: too many calls wait or have failed");
    status = 200;
    within(RECONNECTED).untilAsserted(() -> assertThat(Set.copyOf(bodies())).containsAll(sent));
    within(RECONNECTED).untilAsserted(() -> assertThat(state()).isEqualTo("connected"));
  }

  @Test
  @Tag("slow")
  void shouldNoticeABrokerThatStandsStill() {
    start(Map.of());
    system.serve(route("f", trigger("plant/#", 1, false)));
    awaitState("connected");
    other.standsStill();
    awaitState("not connected: it has not answered a ping");
    other.goesOn();
    awaitState("connected");
    publish("plant/1", "after", 2);
    eventually().until(() -> bodies().contains("after"));
  }

  /** It answers MQTT 5 as MQTT 3.1.1 has it (3.1.2.2), and speaks that. */
  @Test
  void shouldSpeakTheOlderVersionWhereTheBrokerKnowsNoOther() throws Exception {
    try (ServerSocket old = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        ExecutorService thread = Executors.newSingleThreadExecutor()) {
      start(Map.of("TINYFAAS_MQTT_BROKER", "mqtt://127.0.0.1:" + old.getLocalPort()));
      Future<byte[]> acknowledged = thread.submit(() -> serveOneMessage(old));
      system.serve(route("f", trigger("a", 1, false)));
      awaitState("connected");
      assertThat(acknowledged.get()).containsExactly(0x40, 2, 0, 7);
      assertThat(bodies()).containsExactly("x");
      assertThat(lines("external-broker-connected").getFirst()).contains("version=3.1.1");
    }
  }

  /** Returns what the gateway sends after it has got the message. */
  private static byte[] serveOneMessage(ServerSocket broker) throws IOException {
    while (true) {
      try (Socket client = broker.accept()) {
        InputStream in = client.getInputStream();
        OutputStream out = client.getOutputStream();
        byte[] connect = packet(in);
        boolean known = connect[8] == 4; // the level of the protocol
        out.write(new byte[] {0x20, 2, 0, (byte) (known ? 0 : 1)});
        if (known) {
          packet(in); // a ping
          byte[] subscribe = packet(in);
          out.write(new byte[] {(byte) 0x90, 3, subscribe[2], subscribe[3], 1});
          out.write(new byte[] {0x32, 6, 0, 1, 'a', 0, 7, 'x'});
          byte[] acknowledgement = packet(in);
          in.read(); // until the gateway ends
          return acknowledgement;
        }
      }
    }
  }

  /** One of less than 128 bytes. */
  private static byte[] packet(InputStream in) throws IOException {
    byte[] head = in.readNBytes(2);
    byte[] rest = in.readNBytes(head[1]);
    byte[] whole = Arrays.copyOf(head, 2 + rest.length);
    System.arraycopy(rest, 0, whole, 2, rest.length);
    return whole;
  }

  @Test
  void shouldSayThatThereIsNoneWhereTriggersNameOne() {
    system = new ServedGateway(folder, Map.of(), this::function);
    system.serve(route("f", trigger("plant/#", 1, false)));
    assertThat(state()).isEqualTo("off");
    eventually()
        .untilAsserted(
            () ->
                assertThat(lines("external-broker-off").stream().collect(Collectors.joining("\n")))
                    .contains("topics=1", "set TINYFAAS_MQTT_BROKER"));
  }
}
