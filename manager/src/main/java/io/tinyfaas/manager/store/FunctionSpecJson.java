package io.tinyfaas.manager.store;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_REQUEST;
import static io.tinyfaas.manager.store.FunctionSpec.invalid;
import static io.tinyfaas.manager.store.FunctionSpec.quoted;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.manager.problem.ProblemException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A specification as people write it:
 *
 * <pre>{"runtime":"nodejs","handlers":2,"environment":{"A":"b"},"memory":"128M","cpus":1.5,
 *  "timeout":"10s","networkAccess":true,"labels":{},"entry":"bin/run","access":"device",
 *  "observable":true,"link":{"title":"A lamp"}}</pre>
 *
 * Only {@code runtime} is needed. A field that is absent or null has its default; an unknown one is
 * refused, so that a typing error never passes for a default.
 */
public final class FunctionSpecJson {

  /** In place of a variable's value, which may be a secret; sent back, it means that value. */
  private static final String HIDDEN = "***";

  /** Of a document, in bytes: the largest specification with every character escaped fits. */
  public static final int MAX_BYTES = 512 * 1024;

  private static final Set<String> FIELDS =
      Set.of(
          "runtime",
          "handlers",
          "environment",
          "memory",
          "cpus",
          "timeout",
          "networkAccess",
          "labels",
          "entry",
          "access",
          "observable",
          "link");

  private static final ObjectReader JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(JsonParser.Feature.INCLUDE_SOURCE_IN_LOCATION)
          .build()
          .readerFor(JsonNode.class);

  /** What Jackson says of the place where something began that does not end. */
  private static final Pattern WITHOUT_SOURCE = Pattern.compile("\\[Source: [^;]*; ([^]]*)]");

  private static final Pattern MEMORY =
      Pattern.compile("(\\d{1,15})(?:\\.(\\d{1,3}))? ?(?:([KMGT])I?B?|B)?");
  private static final Pattern TIMEOUT = Pattern.compile("(\\d{1,9}) ?(ms|s|m)");

  private FunctionSpecJson() {}

  /**
   * @return a JSON object
   * @throws ProblemException INVALID_REQUEST if the bytes are something else
   */
  public static ObjectNode parse(byte[] document) {
    if (document.length > MAX_BYTES) {
      throw ProblemException.of(
          INVALID_REQUEST, "The JSON document is larger than " + MAX_BYTES + " bytes.");
    }
    try {
      JsonNode node = JSON.readTree(document);
      if (node instanceof ObjectNode object) {
        return object;
      }
      throw ProblemException.of(
          INVALID_REQUEST, "A JSON object is needed, such as {\"handlers\": 2}.");
    } catch (MismatchedInputException e) {
      throw ProblemException.of(
          INVALID_REQUEST, "Something follows the JSON object: send one object only.", e);
    } catch (JsonProcessingException e) {
      JsonLocation at = e.getLocation();
      throw ProblemException.of(
          INVALID_REQUEST,
          "This is not JSON"
              + (at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr())
              + ": "
              + WITHOUT_SOURCE.matcher(e.getOriginalMessage()).replaceAll("$1"),
          e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * @throws ProblemException INVALID_SPEC if a field is unknown, of another type or out of range
   */
  public static FunctionSpec read(ObjectNode document) {
    document
        .fieldNames()
        .forEachRemaining(
            name -> {
              if (!FIELDS.contains(name)) {
                throw invalid(
                    quoted(name).replace("\"", ""),
                    "There is no field "
                        + quoted(name)
                        + "; the fields are runtime, handlers, environment, memory, cpus, timeout,"
                        + " networkAccess, labels, entry, access, observable and link.");
              }
            });
    return new FunctionSpec(
        runtime(document.path("runtime")),
        handlers(document.path("handlers")),
        strings("environment", document.path("environment")),
        memory(document.path("memory")),
        cpus(document.path("cpus")),
        timeout(document.path("timeout")),
        flag("networkAccess", document.path("networkAccess")),
        strings("labels", document.path("labels")),
        entry(document.path("entry")),
        new Exposure(
            access(document.path("access")),
            flag("observable", document.path("observable")),
            strings("link", document.path("link"))));
  }

  public static ObjectNode write(FunctionSpec spec) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("runtime", spec.runtime());
    json.put("handlers", spec.handlers());
    spec.environment().forEach(json.putObject("environment")::put);
    json.put("memory", memoryText(spec.memoryBytes()));
    json.put("cpus", spec.cpus());
    json.put("timeout", timeoutText(spec.timeout()));
    json.put("networkAccess", spec.networkAccess());
    spec.labels().forEach(json.putObject("labels")::put);
    spec.entry().ifPresent(entry -> json.put("entry", entry));
    json.put("access", spec.exposure().access().text());
    json.put("observable", spec.exposure().observable());
    spec.exposure().link().forEach(json.putObject("link")::put);
    return json;
  }

  /** The same without the values of variables. */
  public static ObjectNode writeHidden(FunctionSpec spec) {
    ObjectNode json = write(spec);
    ObjectNode environment = json.putObject("environment");
    spec.environment().keySet().forEach(name -> environment.put(name, HIDDEN));
    return json;
  }

  /**
   * Puts the values of a function's variables where a document has them as it was shown.
   *
   * @throws ProblemException INVALID_SPEC if the function has no such variable
   */
  static void reveal(ObjectNode document, Map<String, String> environment) {
    if (document.path("environment") instanceof ObjectNode shown) {
      for (Map.Entry<String, JsonNode> variable : shown.properties()) {
        if (HIDDEN.equals(variable.getValue().textValue())) {
          String name = variable.getKey();
          if (!environment.containsKey(name)) {
            throw invalid(
                "environment." + quoted(name).replace("\"", ""),
                quoted(name)
                    + " is "
                    + HIDDEN
                    + ", which stands for the value that a variable has, but the function has no"
                    + " such variable: send the value itself.");
          }
          variable.setValue(TextNode.valueOf(environment.get(name)));
        }
      }
    }
  }

  /**
   * Applies a merge patch (RFC 7396): what it names is replaced, null sets a field back to its
   * default or removes a variable or label.
   *
   * @throws ProblemException INVALID_SPEC as {@link #read}
   */
  public static FunctionSpec patch(FunctionSpec spec, ObjectNode patch) {
    if (patch.path("runtime").isNull()) {
      throw invalid("runtime", "runtime cannot be removed: leave it out, or name another one.");
    }
    ObjectNode document = write(spec);
    merge(document, patch.deepCopy());
    reveal(document, spec.environment());
    return read(document);
  }

  /** RFC 7396, section 2. A specification nests two deep; anything deeper is refused when read. */
  private static void merge(ObjectNode target, ObjectNode patch) {
    for (Map.Entry<String, JsonNode> change : patch.properties()) {
      String name = change.getKey();
      if (change.getValue().isNull()) {
        target.remove(name);
      } else if (change.getValue() instanceof ObjectNode inner
          && (name.equals("environment") || name.equals("labels") || name.equals("link"))) {
        merge(target.withObjectProperty(name), inner);
      } else {
        target.set(name, change.getValue());
      }
    }
  }

  private static boolean isAbsent(JsonNode node) {
    return node.isMissingNode() || node.isNull();
  }

  static String runtime(JsonNode node) {
    if (isAbsent(node)) {
      throw invalid("runtime", "runtime is missing: name one, such as nodejs or java.");
    }
    if (!node.isTextual()) {
      throw wrong("runtime", node, "runtime is a string, such as \"nodejs\"");
    }
    return node.textValue();
  }

  private static int handlers(JsonNode node) {
    if (isAbsent(node)) {
      return FunctionSpec.DEFAULT_HANDLERS;
    }
    if (!node.isIntegralNumber() || !node.canConvertToInt()) {
      throw wrong("handlers", node, FunctionSpec.HANDLERS_RULE);
    }
    return node.intValue();
  }

  private static double cpus(JsonNode node) {
    if (isAbsent(node)) {
      return FunctionSpec.DEFAULT_CPUS;
    }
    if (!node.isNumber()) {
      throw wrong("cpus", node, FunctionSpec.CPUS_RULE);
    }
    return node.doubleValue();
  }

  private static boolean flag(String field, JsonNode node) {
    if (isAbsent(node)) {
      return false;
    }
    if (!node.isBoolean()) {
      throw wrong(field, node, field + " is true or false");
    }
    return node.booleanValue();
  }

  private static Optional<String> entry(JsonNode node) {
    if (isAbsent(node)) {
      return Optional.empty();
    }
    if (!node.isTextual()) {
      throw wrong("entry", node, "entry is the path of a file in the archive");
    }
    return Optional.of(node.textValue());
  }

  private static Exposure.Access access(JsonNode node) {
    if (isAbsent(node)) {
      return Exposure.DEFAULT.access();
    }
    try {
      return Exposure.Access.parse(node.textValue());
    } catch (IllegalArgumentException e) {
      throw wrong("access", node, e.getMessage());
    }
  }

  /** K, M and G are powers of 1,024 with every spelling, as with Docker. */
  private static long memory(JsonNode node) {
    if (isAbsent(node)) {
      return FunctionSpec.DEFAULT_MEMORY_BYTES;
    }
    if (node.isIntegralNumber() && node.canConvertToLong()) {
      return node.longValue();
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
        return bytes.min(BigDecimal.valueOf(Long.MAX_VALUE)).longValue();
      }
    }
    throw wrong("memory", node, FunctionSpec.MEMORY_RULE);
  }

  private static Duration timeout(JsonNode node) {
    if (isAbsent(node)) {
      return FunctionSpec.DEFAULT_TIMEOUT;
    }
    if (node.isTextual()) {
      String text = node.textValue().strip();
      Matcher matcher = TIMEOUT.matcher(text);
      if (matcher.matches()) {
        long amount = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
          case "ms" -> Duration.ofMillis(amount);
          case "s" -> Duration.ofSeconds(amount);
          default -> Duration.ofMinutes(amount);
        };
      }
      try {
        return Duration.parse(text);
      } catch (DateTimeParseException e) {
        // falls through to the message that says how to write it
      }
    }
    throw wrong("timeout", node, FunctionSpec.TIMEOUT_RULE);
  }

  private static Map<String, String> strings(String field, JsonNode node) {
    if (isAbsent(node)) {
      return Map.of();
    }
    if (!node.isObject()) {
      throw wrong(field, node, field + " is an object of strings, such as {\"KEY\": \"value\"}");
    }
    Map<String, String> values = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (!entry.getValue().isTextual()) {
        throw invalid(
            field,
            field
                + " has "
                + quoted(entry.getKey())
                + " with a value that is no string: quote it.");
      }
      values.put(entry.getKey(), entry.getValue().textValue());
    }
    return values;
  }

  private static ProblemException wrong(String field, JsonNode node, String rule) {
    String shown = node.isTextual() ? quoted(node.textValue()) : quoted(node.toString());
    return invalid(field, field + " is " + shown + ", but " + rule + ".");
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
