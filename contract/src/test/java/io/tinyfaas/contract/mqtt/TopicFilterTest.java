package io.tinyfaas.contract.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TopicFilterTest {

  @ParameterizedTest
  @ValueSource(strings = {"a", "/", "a/+/b", "+", "#", "a/#", "+/+", "/a", "a//b", "ä/ü"})
  void shouldTakeWhatIsAFilter(String value) {
    assertThat(TopicFilter.isValid(value)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a+", "+a/b", "a/#/b", "a#", "##", "a/b+/c", "a\u0000", "a\nb"})
  void shouldRefuseAMisplacedWildcardAndControlCharacters(String value) {
    assertThat(TopicFilter.isValid(value)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {513, 10_000})
  void shouldRefuseWhatIsTooLong(int length) {
    assertThat(TopicFilter.isValid("a".repeat(length))).isFalse();
    assertThat(TopicFilter.isValid("ä".repeat(length / 2 + 1))).isFalse();
    assertThat(TopicFilter.isValid("/".repeat(TopicFilter.MAX_LEVELS))).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "shed/+/temperature, shed/7/temperature, true",
    "shed/+/temperature, shed/7/8/temperature, false",
    "shed/+/temperature, shed//temperature, true",
    "shed/#, shed, true",
    "shed/#, shed/7/8, true",
    "shed/#, sheds, false",
    "#, a/b, true",
    "#, $SYS/a, false",
    "+/a, $SYS/a, false",
    "$SYS/#, $SYS/a, true",
    "a, a, true",
    "a, a/, false",
    "a/, a, false",
  })
  void shouldMatchTopics(String filter, String topic, boolean matches) {
    assertThat(new TopicFilter(filter).matches(topic)).isEqualTo(matches);
  }

  @ParameterizedTest
  @CsvSource({
    "a/#, a/b/+, true",
    "a/#, a/#, true",
    "a/+, a/#, false",
    "a/+, a/+, true",
    "a/+, a/b, true",
    "a/b, a/+, false",
    "+/b, a/b, true",
    "+/b, #, false",
    "#, +/+, true",
    "a/#, #, false",
    "a/#, a, true",
  })
  void shouldCoverFilters(String filter, String other, boolean covers) {
    assertThat(new TopicFilter(filter).covers(new TopicFilter(other))).isEqualTo(covers);
  }
}
