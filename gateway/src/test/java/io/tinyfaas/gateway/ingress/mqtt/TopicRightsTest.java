package io.tinyfaas.gateway.ingress.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.device.Device;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.DeviceName;
import io.tinyfaas.contract.device.DeviceTopics;
import io.tinyfaas.contract.mqtt.TopicFilter;
import io.tinyfaas.gateway.device.DeviceIdentity;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopicRightsTest {

  private static TopicRights rights(String name, DeviceTopics topics) {
    Device device =
        new Device(new DeviceName("sensor"), new DeviceCredential.Psk("AAAA"), Optional.of(topics));
    return TopicRights.of(new DeviceIdentity(name, device));
  }

  private static final TopicRights SENSOR =
      rights(
          "sensor",
          new DeviceTopics(
              List.of(new TopicFilter("shed/7/#")),
              List.of(new TopicFilter("shed/+/set"), new TopicFilter("#"))));

  private static final TopicRights PLAIN = rights("sensor", new DeviceTopics(List.of(), List.of()));

  @ParameterizedTest
  @ValueSource(strings = {"functions/f", "functions/f/a/b", "devices/sensor", "devices/sensor/a"})
  void shouldLetEveryDevicePublishRequestsAndItsOwn(String topic) {
    assertThat(PLAIN.mayPublish(topic)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"shed/7/t", "devices/sensor2/a", "devices", "x/functions/f", "$SYS/a", "$share/g"})
  void shouldLetNoDevicePublishAnythingElse(String topic) {
    assertThat(PLAIN.mayPublish(topic)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "functions/f/result",
        "functions/+/result",
        "functions/+/result/#",
        "functions/f/result/a",
        "devices/sensor/#",
        "$share/group/devices/sensor/x"
      })
  void shouldLetEveryDeviceSubscribeResultsAndItsOwn(String filter) {
    assertThat(TopicRights.isFilter(filter)).isTrue();
    assertThat(PLAIN.maySubscribe(filter)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "#",
        "+/+",
        "functions/#",
        "functions/f",
        "devices/#",
        "devices/+/x",
        "shed/7/set",
        "$share/group/#",
        "$SYS/#"
      })
  void shouldLetNoDeviceSubscribeAnythingElse(String filter) {
    assertThat(TopicRights.isFilter(filter)).isTrue();
    assertThat(PLAIN.maySubscribe(filter)).isFalse();
  }

  @Test
  void shouldAddWhatARegistrationHas() {
    assertThat(SENSOR.mayPublish("shed/7/t")).isTrue();
    assertThat(SENSOR.mayPublish("shed/8/t")).isFalse();
    assertThat(SENSOR.maySubscribe("shed/+/set")).isTrue();
    assertThat(SENSOR.mayReceive("shed/9/set")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"$SYS/#", "$SYS/broker", "$share/g/$SYS/#"})
  void shouldKeepWhatTheBrokerSaysOfItselfFromAll(String filter) {
    assertThat(SENSOR.maySubscribe(filter)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "$share/g",
        "$share//x",
        "$share/+/x",
        "$share/g#/x",
        "$share/",
        "$share/g/",
        "a#"
      })
  void shouldKnowWhatIsNoFilter(String filter) {
    assertThat(TopicRights.isFilter(filter)).isFalse();
  }

  @Test
  void shouldCallWhatAnAuthorityHasCertifiedByBothNames() {
    TopicRights cow = rights("barn/cow-7", new DeviceTopics(List.of(), List.of()));

    assertThat(cow.mayPublish("devices/barn/cow-7/x")).isTrue();
    assertThat(cow.mayPublish("devices/barn/cow-8/x")).isFalse();
  }
}
