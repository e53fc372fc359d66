package io.tinyfaas.manager.spec;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.tinyfaas.contract.route.Exposure.Access;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * How values of one type are written in a specification.
 *
 * @param <T> the type
 */
abstract class SpecType<T> {

  static final SpecType<String> TEXT =
      new SpecType<>() {
        @Override
        Optional<String> read(JsonNode node) {
          return Optional.ofNullable(node.textValue());
        }

        @Override
        JsonNode write(String value) {
          return TextNode.valueOf(value);
        }
      };

  /** A text, or none. */
  static final SpecType<Optional<String>> OPTIONAL_TEXT =
      new SpecType<>() {
        @Override
        Optional<Optional<String>> read(JsonNode node) {
          return TEXT.read(node).map(Optional::of);
        }

        @Override
        JsonNode write(Optional<String> value) {
          return value.<JsonNode>map(TextNode::valueOf).orElse(MissingNode.getInstance());
        }
      };

  static final SpecType<Integer> WHOLE_NUMBER =
      new SpecType<>() {
        @Override
        Optional<Integer> read(JsonNode node) {
          return node.isIntegralNumber() && node.canConvertToInt()
              ? Optional.of(node.intValue())
              : Optional.empty();
        }

        @Override
        JsonNode write(Integer value) {
          return IntNode.valueOf(value);
        }

        @Override
        JsonNode parse(String text) {
          return text.matches("-?\\d{1,18}")
              ? LongNode.valueOf(Long.parseLong(text))
              : super.parse(text);
        }
      };

  static final SpecType<Double> NUMBER =
      new SpecType<>() {
        @Override
        Optional<Double> read(JsonNode node) {
          return node.isNumber() ? Optional.of(node.doubleValue()) : Optional.empty();
        }

        @Override
        JsonNode write(Double value) {
          return DoubleNode.valueOf(value);
        }

        @Override
        JsonNode parse(String text) {
          return text.matches("-?\\d{1,9}(\\.\\d{1,9})?")
              ? DecimalNode.valueOf(new BigDecimal(text))
              : super.parse(text);
        }
      };

  static final SpecType<Boolean> FLAG =
      new SpecType<>() {
        @Override
        Optional<Boolean> read(JsonNode node) {
          return node.isBoolean() ? Optional.of(node.booleanValue()) : Optional.empty();
        }

        @Override
        JsonNode write(Boolean value) {
          return BooleanNode.valueOf(value);
        }

        @Override
        JsonNode parse(String text) {
          return text.equals("true") || text.equals("false")
              ? BooleanNode.valueOf(Boolean.parseBoolean(text))
              : super.parse(text);
        }
      };

  /** Bytes: K, M and G are powers of 1,024 with every spelling, as with Docker. */
  static final SpecType<Long> SIZE =
      new SpecType<>() {
        @Override
        Optional<Long> read(JsonNode node) {
          return size(node);
        }

        @Override
        JsonNode write(Long bytes) {
          return TextNode.valueOf(memoryText(bytes));
        }
      };

  static final SpecType<Duration> TIME =
      new SpecType<>() {
        @Override
        Optional<Duration> read(JsonNode node) {
          return time(node);
        }

        @Override
        JsonNode write(Duration time) {
          return TextNode.valueOf(timeoutText(time));
        }
      };

  static final SpecType<Access> ACCESS =
      new SpecType<>() {
        @Override
        Optional<Access> read(JsonNode node) {
          return Stream.of(Access.values())
              .filter(access -> access.text().equals(node.textValue()))
              .findFirst();
        }

        @Override
        JsonNode write(Access value) {
          return TextNode.valueOf(value.text());
        }
      };

  /** An object of strings. */
  static final SpecType<Map<String, String>> STRINGS =
      new SpecType<>() {
        @Override
        Optional<Map<String, String>> read(JsonNode node) {
          if (!node.isObject()
              || !node.properties().stream().allMatch(each -> each.getValue().isTextual())) {
            return Optional.empty();
          }
          Map<String, String> values = new LinkedHashMap<>();
          node.properties().forEach(each -> values.put(each.getKey(), each.getValue().textValue()));
          return Optional.of(values);
        }

        @Override
        JsonNode write(Map<String, String> values) {
          ObjectNode object = JsonNodeFactory.instance.objectNode();
          values.forEach(object::put);
          return object;
        }
      };

  private static final Pattern MEMORY =
      Pattern.compile("(\\d{1,15})(?:\\.(\\d{1,3}))? ?(?:([KMGT])I?B?|B)?");
  private static final Pattern TIMEOUT = Pattern.compile("(\\d{1,9}) ?(ms|s|m)");

  /**
   * @param node neither missing nor null
   * @return empty if it is of another type
   */
  abstract Optional<T> read(JsonNode node);

  /** A missing node is not written. */
  abstract JsonNode write(T value);

  /** From a query; what is none of these is passed on as text, and refused when it is read. */
  JsonNode parse(String text) {
    return TextNode.valueOf(text);
  }

  private static Optional<Long> size(JsonNode node) {
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

  private static Optional<Duration> time(JsonNode node) {
    if (node.isTextual()) {
      String text = node.textValue().strip();
      Matcher matcher = TIMEOUT.matcher(text);
      if (matcher.matches()) {
        long amount = Long.parseLong(matcher.group(1));
        return Optional.of(
            switch (matcher.group(2)) {
              case "ms" -> Duration.ofMillis(amount);
              case "s" -> Duration.ofSeconds(amount);
              default -> Duration.ofMinutes(amount);
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

  private static String memoryText(long bytes) {
    for (int power = 3; power > 0; power--) {
      long unit = 1L << (10 * power);
      if (bytes % unit == 0) {
        return bytes / unit + String.valueOf("KMG".charAt(power - 1));
      }
    }
    return Long.toString(bytes);
  }

  private static String timeoutText(Duration timeout) {
    long millis = timeout.toMillis();
    if (millis % 60_000 == 0) {
      return millis / 60_000 + "m";
    }
    return millis % 1000 == 0 ? millis / 1000 + "s" : millis + "ms";
  }
}
