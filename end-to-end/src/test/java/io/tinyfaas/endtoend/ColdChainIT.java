package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.within;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * A thermometer publishes by MQTT, a function that is called with it calls another, which is not
 * lost, and that one a third, which a lamp observes by CoAP and a screen by MQTT: the example
 * cold-chain on the composed system, with Mosquitto's and libcoap's clients.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ColdChainIT {

  static final String EXAMPLE = "cold-chain";

  private static final Duration BOUND = Duration.ofSeconds(30);
  private static final String THERMOMETER = "thermometer-7";
  private static final String TOPIC = "shed/7/temperature";

  @RegisterExtension private static final Installation SYSTEM = Installation.UNIX;

  @RegisterExtension private final Functions functions = new Functions(SYSTEM);

  @RegisterExtension private final Devices devices = new Devices(SYSTEM);

  @TempDir private Path folder;

  private Path certificate;

  /** As the example's README says. */
  @BeforeEach
  void deploy() throws IOException {
    for (String name : List.of("lamp", "alarm", "report")) {
      String path = "examples/" + EXAMPLE + "/" + name + "/";
      byte[] code = Files.readAllBytes(Checkout.path().resolve(path + "index.mjs"));
      functions.deploy("cold-" + name, Archives.of(Map.of("index.mjs", code)));
      String specification = new String(Checkout.read(path + "spec.json"), UTF_8);
      assertThat(functions.patch("cold-" + name, specification).statusCode()).isEqualTo(200);
    }
    certificate = folder.resolve("certificate.pem");
    Files.write(
        certificate,
        SYSTEM.rest().get("/certificate").then().statusCode(200).extract().asByteArray());
  }

  private String register(String name, String topics) {
    return devices.putWithTopics(name, topics).then().statusCode(201).extract().path("key");
  }

  private Command client(String program, String name, String key, String... arguments) {
    List<String> words = new ArrayList<>(List.of("stdbuf", "-oL", program, "-h", "localhost"));
    words.addAll(List.of("-p", Integer.toString(SYSTEM.mqttsPort())));
    words.addAll(List.of("--cafile", certificate.toString(), "-u", name, "-P", key));
    words.addAll(List.of(arguments));
    return Command.of(words).within(BOUND);
  }

  private Command.Result report(String key, String degrees) {
    return client(
            "mosquitto_pub",
            THERMOMETER,
            key,
            "-V",
            "mqttv5",
            "-d",
            "-q",
            "1",
            "-t",
            TOPIC,
            "-m",
            degrees)
        .run();
  }

  private static List<Object> calls(String function) {
    return SYSTEM.rest().get("/functions/" + function + "/calls").jsonPath().getList("calls");
  }

  private static void awaitLast(Command.Running observer, String state) {
    within(BOUND)
        .untilAsserted(
            () -> assertThat(observer.output().lines().toList()).last().isEqualTo(state));
  }

  @Test
  void shouldLightTheLampWhereItIsTooWarm() {
    String key = register(THERMOMETER, "{\"publish\":[\"" + TOPIC + "\"]}");
    String screen = register("screen", "{}");
    int before = calls("cold-alarm").size();
    try (Command.Running lamp = Libcoap.observe(SYSTEM, SYSTEM.coapUri("cold-lamp"));
        Command.Running shown =
            client("mosquitto_sub", "screen", screen, "-t", "functions/cold-lamp/result").start()) {
      awaitLast(lamp, "off");
      awaitLast(shown, "off");

      assertThat(report(key, "4.5").output()).contains("PUBACK");
      assertThat(report(key, "8.5").output()).contains("PUBACK");

      awaitLast(lamp, "shed 7: 8.5");
      awaitLast(shown, "shed 7: 8.5");
      assertThat(calls("cold-alarm")).as("one alarm for two reports").hasSize(before + 1);
      lamp.terminate();
      shown.terminate();
    }
  }

  @Test
  void shouldLetNobodyReportButTheThermometer() {
    String key = register(THERMOMETER, "{\"publish\":[\"" + TOPIC + "\"]}");
    String other = register("screen", "{}");
    List<Object> before = calls("cold-report");

    assertThat(
            client(
                    "mosquitto_pub",
                    "screen",
                    other,
                    "-V",
                    "mqttv5",
                    "-d",
                    "-q",
                    "1",
                    "-t",
                    TOPIC,
                    "-m",
                    "20")
                .run()
                .output())
        .containsIgnoringCase("not authorized");
    devices.delete(THERMOMETER).then().statusCode(204);
    assertThat(report(key, "20").exitCode()).as("of one that is revoked").isNotZero();
    assertThat(calls("cold-report")).isEqualTo(before);
  }
}
