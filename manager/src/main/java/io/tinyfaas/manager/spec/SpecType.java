package io.tinyfaas.manager.spec;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.tinyfaas.contract.mqtt.MqttTrigger;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.RetryOn;
import io.tinyfaas.contract.route.Schedule;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * How values of one type are written in a specification.
 *
 * @param read of a node that is neither missing nor null; empty if it is of another type
 * @param write a missing node is not written
 * @param parse from a query: what is none of these is passed on as text, and refused when it is
 *     read
 */
record SpecType<T>(
    Function<JsonNode, Optional<T>> read,
    Function<T, JsonNode> write,
    Function<String, JsonNode> parse) {

  static final SpecType<String> TEXT =
      of(node -> Optional.ofNullable(node.textValue()), TextNode::valueOf);

  /** A text, or none. */
  static final SpecType<Optional<String>> OPTIONAL_TEXT =
      of(
          node -> Optional.ofNullable(node.textValue()).map(Optional::of),
          value -> value.<JsonNode>map(TextNode::valueOf).orElse(MissingNode.getInstance()));

  static final SpecType<Integer> WHOLE_NUMBER =
      new SpecType<>(
          node ->
              node.isIntegralNumber() && node.canConvertToInt()
                  ? Optional.of(node.intValue())
                  : Optional.empty(),
          IntNode::valueOf,
          text ->
              text.matches("-?\\d{1,18}")
                  ? LongNode.valueOf(Long.parseLong(text))
                  : TextNode.valueOf(text));

  static final SpecType<Double> NUMBER =
      new SpecType<>(
          node -> node.isNumber() ? Optional.of(node.doubleValue()) : Optional.empty(),
          DoubleNode::valueOf,
          text ->
              text.matches("-?\\d{1,9}(\\.\\d{1,9})?")
                  ? DecimalNode.valueOf(new BigDecimal(text))
                  : TextNode.valueOf(text));

  static final SpecType<Boolean> FLAG =
      new SpecType<>(
          node -> node.isBoolean() ? Optional.of(node.booleanValue()) : Optional.empty(),
          BooleanNode::valueOf,
          text ->
              text.equals("true") || text.equals("false")
                  ? BooleanNode.valueOf(Boolean.parseBoolean(text))
                  : TextNode.valueOf(text));

  /** Bytes: K, M and G are powers of 1,024 with every spelling, as with Docker. */
  static final SpecType<Long> SIZE = of(SpecType::readSize, SpecType::writeSize);

  static final SpecType<Duration> TIME = of(SpecType::readTime, SpecType::writeTime);

  static final SpecType<Access> ACCESS =
      of(
          node ->
              Stream.of(Access.values())
                  .filter(access -> access.text().equals(node.textValue()))
                  .findFirst(),
          access -> TextNode.valueOf(access.text()));

  static final SpecType<Observable> OBSERVABLE =
      new SpecType<>(
          node ->
              Stream.of(Observable.values())
                  .filter(observable -> writeObservable(observable).equals(node))
                  .findFirst(),
          SpecType::writeObservable,
          FLAG.parse());

  /** Whether it is durable. */
  static final SpecType<Boolean> DELIVERY =
      of(
          node ->
              switch (node.asText()) {
                case "durable" -> Optional.of(true);
                case "direct" -> Optional.of(false);
                default -> Optional.empty();
              },
          durable -> TextNode.valueOf(durable ? "durable" : "direct"));

  /** An array of texts; with commas in a query. */
  static final SpecType<Set<RetryOn>> RETRY_ON =
      new SpecType<>(SpecType::readRetryOn, SpecType::writeRetryOn, SpecType::parseTexts);

  /** The name of one, or none. */
  static final SpecType<Optional<FunctionName>> OPTIONAL_FUNCTION =
      of(
          node ->
              Optional.ofNullable(node.textValue())
                  .filter(FunctionName::isValid)
                  .map(name -> Optional.of(new FunctionName(name))),
          name ->
              name.<JsonNode>map(some -> TextNode.valueOf(some.value()))
                  .orElse(MissingNode.getInstance()));

  /** An array of names; with commas in a query. */
  static final SpecType<List<FunctionName>> FUNCTIONS =
      new SpecType<>(SpecType::readFunctions, SpecType::writeFunctions, SpecType::parseTexts);

  /** An array of objects. */
  static final SpecType<List<Schedule>> SCHEDULES = of(ScheduleJson::read, ScheduleJson::write);

  /** An array of objects. */
  static final SpecType<List<MqttTrigger>> TRIGGERS = of(TriggerJson::read, TriggerJson::write);

  /** An object of strings. */
  static final SpecType<Map<String, String>> STRINGS =
      of(SpecType::readStrings, SpecType::writeStrings);

  private static final Pattern MEMORY =
      Pattern.compile("(\\d{1,15})(?:\\.(\\d{1,3}))? ?(?:([KMGT])I?B?|B)?");
  private static final Pattern TIMEOUT = Pattern.compile("(\\d{1,9}) ?(ms|s|m|h|d)");

  /** Largest first. */
  private static final List<Map.Entry<String, Duration>> TIME_UNITS =
      List.of(
          Map.entry("d", Duration.ofDays(1)),
          Map.entry("h", Duration.ofHours(1)),
          Map.entry("m", Duration.ofMinutes(1)),
          Map.entry("s", Duration.ofSeconds(1)));

  private static <T> SpecType<T> of(
      Function<JsonNode, Optional<T>> read, Function<T, JsonNode> write) {
    return new SpecType<>(read, write, TextNode::valueOf);
  }

  private static Optional<Map<String, String>> readStrings(JsonNode node) {
    if (!node.isObject()
        || !node.properties().stream().allMatch(each -> each.getValue().isTextual())) {
      return Optional.empty();
    }
    Map<String, String> values = new LinkedHashMap<>();
    node.properties().forEach(each -> values.put(each.getKey(), each.getValue().textValue()));
    return Optional.of(values);
  }

  private static JsonNode writeStrings(Map<String, String> values) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    values.forEach(object::put);
    return object;
  }

  private static Optional<Long> readSize(JsonNode node) {
    if (node.isIntegralNumber() && node.canConvertToLong()) {
      return Optional.of(node.longValue());
    }
    if (node.isTextual()) {
      Matcher matcher = MEMORY.matcher(node.textValue().strip().toUpperCase(Locale.ROOT));
      if (matcher.matches()) {
        String unit = matcher.group(3);
        int shift = unit == null ? 0 : 10 * (1 + "KMGT".indexOf(unit));
        String fraction = matcher.group(2) == null ? "0" : matcher.group(2);
        BigDecimal bytes =
            new BigDecimal(matcher.group(1) + "." + fraction)
                .multiply(BigDecimal.valueOf(1L << shift));
        return Optional.of(bytes.min(BigDecimal.valueOf(Long.MAX_VALUE)).longValue());
      }
    }
    return Optional.empty();
  }

  private static Optional<Duration> readTime(JsonNode node) {
    if (node.isTextual()) {
      String text = node.textValue().strip();
      Matcher matcher = TIMEOUT.matcher(text);
      if (matcher.matches()) {
        long amount = Long.parseLong(matcher.group(1));
        return Optional.of(
            switch (matcher.group(2)) {
              case "ms" -> Duration.ofMillis(amount);
              case "s" -> Duration.ofSeconds(amount);
              case "m" -> Duration.ofMinutes(amount);
              case "h" -> Duration.ofHours(amount);
              default -> Duration.ofDays(amount);
            });
      }
      try {
        return Optional.of(Duration.parse(text));
      } catch (DateTimeParseException e) {
        // It is no time.
      }
    }
    return Optional.empty();
  }

  private static JsonNode writeSize(long bytes) {
    for (int power = 3; power > 0; power--) {
      long unit = 1L << (10 * power);
      if (bytes % unit == 0) {
        return TextNode.valueOf(bytes / unit + String.valueOf("KMG".charAt(power - 1)));
      }
    }
    return TextNode.valueOf(Long.toString(bytes));
  }

  private static JsonNode writeTime(Duration time) {
    long millis = time.toMillis();
    for (Map.Entry<String, Duration> unit : TIME_UNITS) {
      if (millis % unit.getValue().toMillis() == 0) {
        return TextNode.valueOf(millis / unit.getValue().toMillis() + unit.getKey());
      }
    }
    return TextNode.valueOf(millis + "ms");
  }

  private static JsonNode writeObservable(Observable observable) {
    return observable.json() instanceof Boolean flag
        ? BooleanNode.valueOf(flag)
        : TextNode.valueOf(observable.json().toString());
  }

  private static Optional<Set<RetryOn>> readRetryOn(JsonNode node) {
    if (!node.isArray()) {
      return Optional.empty();
    }
    Set<RetryOn> read = EnumSet.noneOf(RetryOn.class);
    for (JsonNode each : node) {
      Optional<RetryOn> known =
          Stream.of(RetryOn.values()).filter(on -> on.text().equals(each.textValue())).findFirst();
      if (known.isEmpty()) {
        return Optional.empty();
      }
      read.add(known.get());
    }
    return Optional.of(read);
  }

  private static JsonNode writeRetryOn(Set<RetryOn> retryOn) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    retryOn.forEach(on -> array.add(on.text()));
    return array;
  }

  private static Optional<List<FunctionName>> readFunctions(JsonNode node) {
    if (!node.isArray()
        || !node.valueStream()
            .allMatch(each -> each.isTextual() && FunctionName.isValid(each.textValue()))) {
      return Optional.empty();
    }
    return Optional.of(node.valueStream().map(each -> new FunctionName(each.textValue())).toList());
  }

  private static JsonNode writeFunctions(List<FunctionName> functions) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    functions.forEach(function -> array.add(function.value()));
    return array;
  }

  private static JsonNode parseTexts(String text) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    if (!text.isEmpty()) {
      Stream.of(text.split(",", -1)).forEach(array::add);
    }
    return array;
  }
}
