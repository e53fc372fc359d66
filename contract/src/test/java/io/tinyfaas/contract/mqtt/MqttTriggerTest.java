package io.tinyfaas.contract.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNoException;

import io.tinyfaas.contract.mqtt.MqttTrigger.Source;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MqttTriggerTest {

  private static MqttTrigger trigger(
      String topic, int qos, String reply, boolean shared, Source broker) {
    return new MqttTrigger(new TopicFilter(topic), qos, Optional.ofNullable(reply), shared, broker);
  }

  @ParameterizedTest
  @CsvSource({
    "shed/#, 3, , false, BOX, qos is 3",
    "shed/#, -1, , false, BOX, qos is -1",
    "shed/#, 1, shed/alarms, false, BOX, each reply would make the next call",
    "shed/#, 1, shed, false, EXTERNAL, each reply would make the next call",
    "shed/#, 1, a/+, false, BOX, no topic that can be written",
    "shed/#, 1, functions/f, false, BOX, no topic that can be written",
    "shed/#, 1, $SYS/a, false, EXTERNAL, no topic that can be written",
    "a, 1, functions/f, false, EXTERNAL, no topic that can be written",
    "functions/f, 1, , false, BOX, nothing is told of topic functions/f",
    "functions, 1, , false, BOX, nothing is told of topic functions",
    "$SYS/#, 1, , false, EXTERNAL, nothing is told of topic $SYS/#",
    "shed/#, 1, , true, BOX, shared is for an external broker only",
  })
  void shouldRefuseWhatCannotBe(
      String topic, int qos, String reply, boolean shared, Source broker, String why) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> trigger(topic, qos, reply, shared, broker))
        .withMessageContaining(why);
  }

  @Test
  void shouldLeaveTopicsOfAnotherBrokerToIt() {
    assertThatNoException()
        .isThrownBy(() -> trigger("functions/f", 0, "shed/alarms", true, Source.EXTERNAL));
    assertThatNoException()
        .isThrownBy(() -> trigger("functionsx/f", 2, "shed/alarms", false, Source.BOX));
  }

  @Test
  void shouldBeLikeOneForTheSameMessages() {
    MqttTrigger one = trigger("a", 1, null, false, Source.BOX);
    assertThat(one.isLike(trigger("a", 2, "b", false, Source.BOX))).isTrue();
    assertThat(one.isLike(trigger("a", 1, null, false, Source.EXTERNAL))).isFalse();
    assertThat(one.isLike(trigger("b", 1, null, false, Source.BOX))).isFalse();
  }
}
