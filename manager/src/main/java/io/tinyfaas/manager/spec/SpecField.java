package io.tinyfaas.manager.spec;

import static io.tinyfaas.manager.spec.SpecRules.invalid;
import static io.tinyfaas.manager.text.PlainText.quoted;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tinyfaas.contract.mqtt.MqttTrigger;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.RetryOn;
import io.tinyfaas.contract.route.Schedule;
import io.tinyfaas.manager.problem.ProblemException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A field of a specification. All of them are here, a row each: how it is called, how it is
 * written, what it is where nothing is said of it, and what it may be. One more takes a row here
 * and a component of {@link FunctionSpec}.
 *
 * @param name as in JSON; {@code async.retries} is the member {@code retries} of an object {@code
 *     async}, whose members are fields each
 * @param inQuery as in a query, where {@code environment} is one {@code env=KEY=VALUE} for each
 *     variable
 * @param absent null if there must be one
 * @param rule follows "…, but"
 * @param check throws what is wrong with a value of the right type
 */
public record SpecField<T>(
    String name,
    String inQuery,
    SpecType<T> type,
    T absent,
    String rule,
    Consumer<T> check,
    Function<FunctionSpec, T> of) {

  static final SpecField<String> RUNTIME =
      field(
          "runtime",
          SpecType.TEXT,
          null,
          "runtime is a string, such as \"nodejs\"",
          SpecRules::requireRuntime,
          FunctionSpec::runtime);

  static final SpecField<Integer> HANDLERS =
      inRange(
          "handlers",
          SpecType.WHOLE_NUMBER,
          1,
          "handlers is a whole number from 1 to " + FunctionSpec.MAX_HANDLERS,
          1,
          FunctionSpec.MAX_HANDLERS,
          FunctionSpec::handlers);

  static final SpecField<Map<String, String>> ENVIRONMENT =
      strings("environment", "env", SpecRules::requireEnvironment, FunctionSpec::environment);

  /** In bytes. */
  static final SpecField<Long> MEMORY =
      inRange(
          "memory",
          SpecType.SIZE,
          128L << 20,
          "memory is from 16M to 64G, written like 128M or 1G, or as a number of bytes",
          16L << 20,
          64L << 30,
          FunctionSpec::memoryBytes);

  /** In cores. */
  static final SpecField<Double> CPUS =
      inRange(
          "cpus",
          SpecType.NUMBER,
          1.0,
          "cpus is a number of cores from 0.05 to 64, such as 0.5",
          0.05,
          64.0,
          FunctionSpec::cpus);

  static final SpecField<Duration> TIMEOUT =
      inRange(
          "timeout",
          SpecType.TIME,
          Duration.ofSeconds(10),
          "timeout is from 100ms to 15m, written like 500ms, 10s, 2m or PT10S",
          Duration.ofMillis(100),
          Duration.ofMinutes(15),
          FunctionSpec::timeout);

  static final SpecField<Boolean> NETWORK_ACCESS =
      flag("networkAccess", FunctionSpec::networkAccess);

  static final SpecField<Map<String, String>> LABELS =
      strings("labels", "label", SpecRules::requireLabels, FunctionSpec::labels);

  static final SpecField<Optional<String>> ENTRY =
      field(
          "entry",
          SpecType.OPTIONAL_TEXT,
          Optional.empty(),
          "entry is the path of a file in the archive",
          entry -> entry.ifPresent(SpecRules::requireEntry),
          FunctionSpec::entry);

  static final SpecField<Access> ACCESS =
      field(
          "access",
          SpecType.ACCESS,
          Exposure.DEFAULT.access(),
          "access is any or device",
          access -> {},
          spec -> spec.exposure().access());

  static final SpecField<Observable> OBSERVABLE =
      field(
          "observable",
          SpecType.OBSERVABLE,
          Exposure.DEFAULT.observable(),
          "observable is " + Observable.RULE,
          observable -> {},
          spec -> spec.exposure().observable());

  static final SpecField<Map<String, String>> LINK =
      strings("link", "link", SpecRules::requireLink, spec -> spec.exposure().link());

  /** Whether every POST is accepted as a call. */
  static final SpecField<Boolean> DELIVERY =
      field(
          "delivery",
          SpecType.DELIVERY,
          CallPolicy.DEFAULT.durable(),
          "delivery is direct, or durable for calls that survive a power cut",
          durable -> {},
          spec -> spec.calls().durable());

  static final SpecField<Integer> RETRIES =
      inRange(
          "async.retries",
          SpecType.WHOLE_NUMBER,
          CallPolicy.DEFAULT.retries(),
          "async.retries is a whole number from 0 to " + CallPolicy.MAX_RETRIES,
          0,
          CallPolicy.MAX_RETRIES,
          spec -> spec.calls().retries());

  static final SpecField<Duration> BACKOFF =
      inRange(
          "async.backoff",
          SpecType.TIME,
          Duration.ofMillis(CallPolicy.DEFAULT.backoffMillis()),
          "async.backoff is from 100ms to 1h, written like 500ms, 10s, 2m or PT10S",
          Duration.ofMillis(CallPolicy.MIN_BACKOFF_MILLIS),
          Duration.ofMillis(CallPolicy.MAX_BACKOFF_MILLIS),
          spec -> Duration.ofMillis(spec.calls().backoffMillis()));

  static final SpecField<Duration> MAX_AGE =
      inRange(
          "async.maxAge",
          SpecType.TIME,
          Duration.ofMillis(CallPolicy.DEFAULT.maxAgeMillis()),
          "async.maxAge is from 1s to 30d, written like 90s, 30m, 12h, 7d or PT12H",
          Duration.ofMillis(CallPolicy.MIN_MAX_AGE_MILLIS),
          Duration.ofMillis(CallPolicy.MAX_MAX_AGE_MILLIS),
          spec -> Duration.ofMillis(spec.calls().maxAgeMillis()));

  static final SpecField<Set<RetryOn>> RETRY_ON =
      field(
          "async.retryOn",
          SpecType.RETRY_ON,
          CallPolicy.DEFAULT.retryOn(),
          "async.retryOn is an array of error, timeout, both or neither, such as [\"timeout\"];"
              + " in a query async.retryOn=error,timeout",
          retryOn -> {},
          spec -> spec.calls().retryOn());

  static final SpecField<Optional<FunctionName>> ON_FAILURE =
      field(
          "async.onFailure",
          SpecType.OPTIONAL_FUNCTION,
          CallPolicy.DEFAULT.onFailure(),
          "async.onFailure names a function, which has " + FunctionName.RULE,
          onFailure -> {},
          spec -> spec.calls().onFailure());

  /** Not for a query. */
  static final SpecField<List<Schedule>> SCHEDULES =
      field(
          "schedules",
          SpecType.SCHEDULES,
          List.of(),
          "schedules is an array of objects, such as [{\"cron\": \"0 6 * * *\"}]; it has no place in a"
              + " query: send it with PATCH, or in the part spec of multipart/form-data",
          schedules -> {},
          FunctionSpec::schedules);

  /** Not for a query. */
  static final SpecField<List<MqttTrigger>> MQTT =
      field(
          "mqtt",
          SpecType.TRIGGERS,
          List.of(),
          "mqtt is an array of objects, such as [{\"topic\": \"shed/+/temperature\"}]; it has no"
              + " place in a query: send it with PATCH, or in the part spec of multipart/form-data",
          triggers -> {},
          FunctionSpec::triggers);

  /** Those that it may call by the sockets of its handlers. */
  static final SpecField<List<FunctionName>> CALLS =
      field(
          "calls",
          SpecType.FUNCTIONS,
          List.of(),
          "calls is an array of names of functions, such as [\"alarm\", \"lamp\"]; in a query"
              + " calls=alarm,lamp. A name has "
              + FunctionName.RULE,
          SpecRules::requireCalls,
          FunctionSpec::mayCall);

  /** In the order in which they are written. */
  public static final List<SpecField<?>> ALL =
      List.of(
          RUNTIME,
          HANDLERS,
          ENVIRONMENT,
          MEMORY,
          CPUS,
          TIMEOUT,
          NETWORK_ACCESS,
          LABELS,
          ENTRY,
          ACCESS,
          OBSERVABLE,
          LINK,
          DELIVERY,
          RETRIES,
          BACKOFF,
          MAX_AGE,
          RETRY_ON,
          ON_FAILURE,
          SCHEDULES,
          MQTT,
          CALLS);

  /** Of what a specification may have, with each object of fields once. */
  static List<String> names() {
    return ALL.stream()
        .map(field -> field.object().isEmpty() ? field.name() : field.object())
        .distinct()
        .toList();
  }

  /** Of the fields in an object of fields; empty if the name is none of those. */
  public static List<String> membersOf(String name) {
    return ALL.stream()
        .filter(field -> field.object().equals(name))
        .map(SpecField::nameInObject)
        .toList();
  }

  private static <T> SpecField<T> field(
      String name,
      SpecType<T> type,
      T absent,
      String rule,
      Consumer<T> check,
      Function<FunctionSpec, T> of) {
    return new SpecField<>(name, name, type, absent, rule, check, of);
  }

  private static <T extends Comparable<T>> SpecField<T> inRange(
      String name,
      SpecType<T> type,
      T absent,
      String rule,
      T from,
      T to,
      Function<FunctionSpec, T> of) {
    Consumer<T> check =
        value -> {
          if (value.compareTo(from) < 0 || value.compareTo(to) > 0) {
            String unit = type == SpecType.SIZE ? " bytes" : "";
            throw invalid(name, name + " is " + value + unit + ", but " + rule + ".");
          }
        };
    return field(name, type, absent, rule, check, of);
  }

  private static SpecField<Boolean> flag(String name, Function<FunctionSpec, Boolean> of) {
    return field(name, SpecType.FLAG, false, name + " is true or false", value -> {}, of);
  }

  private static SpecField<Map<String, String>> strings(
      String name,
      String inQuery,
      Consumer<Map<String, String>> check,
      Function<FunctionSpec, Map<String, String>> of) {
    return new SpecField<>(
        name,
        inQuery,
        SpecType.STRINGS,
        Map.of(),
        name + " is an object of strings, such as {\"KEY\": \"value\"}",
        check,
        of);
  }

  /** The object of fields that it is in; empty if it is in none. */
  private String object() {
    return name.substring(0, Math.max(0, name.indexOf('.')));
  }

  private String nameInObject() {
    return name.substring(name.indexOf('.') + 1);
  }

  /** Whether it is an object of any strings, whose members are replaced one by one. */
  public boolean hasMembers() {
    return type == SpecType.STRINGS;
  }

  /** From a query; what is of another type is refused when it is read. */
  public JsonNode parse(String text) {
    return type.parse().apply(text);
  }

  /**
   * @throws ProblemException INVALID_SPEC if it is of another type, or must be there and is not
   */
  T in(JsonNode document) {
    JsonNode node = (object().isEmpty() ? document : document.path(object())).path(nameInObject());
    if (node.isMissingNode() || node.isNull()) {
      if (absent == null) {
        throw invalid(name, name + " is missing: name one, such as nodejs or java.");
      }
      return absent;
    }
    return type.read().apply(node).orElseThrow(() -> wrong(node));
  }

  /**
   * @throws ProblemException INVALID_SPEC as {@link #in}, or if it is out of range
   */
  T valid(JsonNode document) {
    T value = in(document);
    check.accept(value);
    return value;
  }

  private ProblemException wrong(JsonNode node) {
    if (node.isObject() && hasMembers()) {
      for (Map.Entry<String, JsonNode> member : node.properties()) {
        if (!member.getValue().isTextual()) {
          return invalid(
              name,
              name
                  + " has "
                  + quoted(member.getKey())
                  + " with a value that is no string: quote it.");
        }
      }
    }
    String shown = node.isTextual() ? quoted(node.textValue()) : quoted(node.toString());
    return invalid(name, name + " is " + shown + ", but " + rule + ".");
  }

  void write(FunctionSpec spec, ObjectNode document) {
    JsonNode written = type.write().apply(of.apply(spec));
    if (!written.isMissingNode()) {
      put(document, written);
    }
  }

  /** Into a document in which no other than an object is where its object is. */
  public void put(ObjectNode document, JsonNode value) {
    (object().isEmpty() ? document : document.withObjectProperty(object()))
        .set(nameInObject(), value);
  }
}
