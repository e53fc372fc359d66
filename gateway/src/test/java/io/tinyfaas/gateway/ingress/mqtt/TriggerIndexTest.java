package io.tinyfaas.gateway.ingress.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.mqtt.MqttTrigger;
import io.tinyfaas.contract.mqtt.MqttTrigger.Source;
import io.tinyfaas.contract.mqtt.TopicFilter;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.harness.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TriggerIndexTest {

  @RegisterExtension final Seed seed = new Seed();

  private static Route route(String function, Source broker, String... topics) {
    return new Route(
        new FunctionName(function),
        1,
        1_000,
        Exposure.DEFAULT,
        CallPolicy.DEFAULT,
        List.of(),
        Stream.of(topics)
            .map(
                topic ->
                    new MqttTrigger(new TopicFilter(topic), 1, Optional.empty(), false, broker))
            .toList(),
        List.of(),
        List.of());
  }

  private static List<String> found(TriggerIndex index, String topic) {
    return index.find(topic).stream()
        .map(entry -> entry.function() + ' ' + entry.trigger().topic())
        .toList();
  }

  @Test
  void shouldFindAllThatATopicIsFor() {
    TriggerIndex index =
        new TriggerIndex(
            List.of(
                route("f", Source.BOX, "shed/+/temperature", "shed/#"),
                route("g", Source.BOX, "shed/7/temperature", "#", "+/+"),
                route("h", Source.EXTERNAL, "shed/#")),
            Source.BOX);

    assertThat(found(index, "shed/7/temperature"))
        .containsExactlyInAnyOrder(
            "f shed/+/temperature", "f shed/#", "g shed/7/temperature", "g #");
    assertThat(found(index, "shed")).containsExactlyInAnyOrder("f shed/#", "g #");
    assertThat(found(index, "a/b")).containsExactlyInAnyOrder("g #", "g +/+");
    assertThat(found(index, "$SYS/a")).isEmpty();
  }

  @Test
  void shouldFindNothingWhereThereIsNothing() {
    assertThat(TriggerIndex.EMPTY.find("a")).isEmpty();
    assertThat(
            new TriggerIndex(List.of(route("f", Source.BOX, "a/b")), Source.EXTERNAL).find("a/b"))
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"a, a/, 0", "a/, a/, 1", "a//b, a//b, 1", "a/+, a/, 1", "/a, /a, 1", "a, /a, 0"})
  void shouldTakeEmptyLevelsForLevels(String filter, String topic, int times) {
    assertThat(new TriggerIndex(List.of(route("f", Source.BOX, filter)), Source.BOX).find(topic))
        .hasSize(times);
  }

  /** Whatever the filters are. */
  @Test
  void shouldFindWhatTheFiltersThemselvesMatch() {
    Random random = seed.random();
    for (int round = 0; round < 200; round++) {
      List<Route> routes = new ArrayList<>();
      for (int function = 0; function < 10; function++) {
        routes.add(
            route(
                "f" + function,
                Source.BOX,
                Stream.generate(() -> topic(random, true))
                    .limit(4)
                    .distinct()
                    .toArray(String[]::new)));
      }
      TriggerIndex index = new TriggerIndex(routes, Source.BOX);
      for (int look = 0; look < 20; look++) {
        String topic = topic(random, false);
        List<String> expected =
            routes.stream()
                .flatMap(
                    route ->
                        route.triggers().stream()
                            .filter(trigger -> trigger.topic().matches(topic))
                            .map(trigger -> route.function() + " " + trigger.topic()))
                .toList();
        assertThat(found(index, topic)).as(topic).containsExactlyInAnyOrderElementsOf(expected);
      }
    }
  }

  private static String topic(Random random, boolean wildcards) {
    int levels = 1 + random.nextInt(4);
    List<String> all = new ArrayList<>();
    for (int level = 0; level < levels; level++) {
      int which = random.nextInt(wildcards ? 6 : 4);
      all.add(
          which == 4
              ? "+"
              : which == 5 && level == levels - 1
                  ? "#"
                  : which == 3 ? "" : "abc".substring(which % 3, which % 3 + 1));
    }
    String topic = String.join("/", all);
    return topic.isEmpty() ? "a" : topic;
  }
}
