package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Command;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices that log in, publish and subscribe by MQTT, with Mosquitto's own clients. */
class MqttIT {

  private static final Duration MOMENT = Duration.ofSeconds(20);

  @TempDir private static Path folder;

  private static MqttGateway gateway;

  @BeforeAll
  static void start() throws IOException {
    gateway = new MqttGateway(folder, Map.of());
  }

  @AfterAll
  static void stop() {
    gateway.close();
  }

  @BeforeEach
  void register() {
    gateway.register(
        MqttGateway.withKey("lamp", MqttGateway.KEY),
        MqttGateway.withTopics("sensor", List.of("shed/7/#"), List.of("shed/+/set")),
        MqttGateway.withTopics("panel", List.of("shed/7/set"), List.of("shed/#")));
  }

  private static MosquittoClient device(String name, String... more) {
    return MosquittoClient.plain(gateway, name, MqttGateway.KEY).with(more);
  }

  private static Command.Running subscribed(MosquittoClient device, String... arguments) {
    Command.Running subscriber = device.subscribe(arguments);
    MosquittoClient.awaitSubscribed(subscriber);
    return subscriber;
  }

  @ParameterizedTest
  @ValueSource(strings = {"311", "5"})
  void shouldCarryMessagesFromDeviceToDevice(String version) {
    for (String qos : List.of("0", "1", "2")) {
      try (Command.Running panel =
          subscribed(device("panel", "-V", version), "-C", "1", "-q", qos, "-t", "shed/#", "-v")) {
        device("sensor", "-V", version)
            .publish("-q", qos, "-t", "shed/7/temperature", "-m", "21 degrees " + qos);

        panel.awaitExit(MOMENT);
        assertThat(panel.output()).contains("shed/7/temperature 21 degrees " + qos);
      }
    }
  }

  @Test
  void shouldLetDevicesInByTlsWithTheCertificateOfTheGateway() {
    try (Command.Running panel =
        subscribed(
            MosquittoClient.byTls(gateway, "-u", "panel", "-P", MqttGateway.KEY),
            "-C",
            "1",
            "-t",
            "shed/#")) {
      MosquittoClient.byTls(gateway, "-u", "sensor", "-P", MqttGateway.KEY, "-V", "5")
          .publish("-q", "1", "-t", "shed/7/temperature", "-m", "by TLS");

      panel.awaitExit(MOMENT);
      assertThat(panel.output()).contains("by TLS");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"311", "5"})
  void shouldRefuseWhoeverHasNoKey(String version) {
    for (String[] who :
        new String[][] {
          {"-u", "lamp", "-P", "another-sixteen!"},
          {"-u", "nobody", "-P", MqttGateway.KEY},
          {"-u", "lamp"},
          {}
        }) {
      Command.Result refused =
          new MosquittoClient(List.of("-h", "127.0.0.1", "-p", Integer.toString(gateway.port())))
              .with(who)
              .with("-V", version)
              .tryToPublish("-t", "devices/lamp/x", "-m", "x");

      assertThat(refused.exitCode()).isNotZero();
      assertThat(refused.output())
          .containsAnyOf("efused", "Bad User Name or Password", "ot authorized");
    }
  }

  @Test
  void shouldTellADeviceThatItMayNotPublishThere() {
    for (String topic : List.of("shed/8/temperature", "devices/lamp/x", "$SYS/x", "devices")) {
      Command.Result refused =
          device("sensor", "-V", "5").tryToPublish("-d", "-q", "1", "-t", topic, "-m", "x");

      assertThat(refused.output()).contains("RC:135").describedAs(topic);
    }
  }
}
