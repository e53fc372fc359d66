package io.tinyfaas.manager.store;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_SPEC;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.manager.problem.ProblemException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * How a function runs. A value out of range is refused with a problem that names the field.
 *
 * @param runtime a runtime's name or alias; whether there is such a one is the deployer's to say
 * @param handlers how many containers, 1 to 28: twice as many find room in a function's network
 * @param environment variables of the function: at most 64, values of up to 4 KiB, 32 KiB together
 * @param memoryBytes limit of each handler, 16 MiB to 64 GiB
 * @param cpus limit of each handler in cores, 0.05 to 64
 * @param timeout of one invocation, 100 ms to 15 min, in whole milliseconds
 * @param networkAccess whether the function may open connections to the outside
 * @param labels for people and tools: at most 64, values of up to 256 bytes
 * @param entry the path in the archive of what is to be run, or of Java the class, where the
 *     runtime does not know it by its name; at most 255 characters
 * @param exposure how it shows itself to devices; at most 16 attributes of its link, with values of
 *     up to 256 bytes
 */
public record FunctionSpec(
    String runtime,
    int handlers,
    Map<String, String> environment,
    long memoryBytes,
    double cpus,
    Duration timeout,
    boolean networkAccess,
    Map<String, String> labels,
    Optional<String> entry,
    Exposure exposure) {

  public static final int DEFAULT_HANDLERS = 1;
  public static final long DEFAULT_MEMORY_BYTES = 128L << 20;
  public static final double DEFAULT_CPUS = 1;
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

  public static final int MAX_HANDLERS = 28;
  static final int MAX_VARIABLES = 64;
  static final int MAX_VARIABLE_NAME = 128;
  static final int MAX_VARIABLE_BYTES = 4 * 1024;
  static final int MAX_ENVIRONMENT_BYTES = 32 * 1024;
  static final int MAX_LABELS = 64;
  static final int MAX_LABEL_BYTES = 256;
  static final int MAX_ENTRY = 255;
  static final int MAX_LINK_ATTRIBUTES = 16;
  static final int MAX_LINK_VALUE_BYTES = 256;
  static final long MIN_MEMORY_BYTES = 16L << 20;
  static final long MAX_MEMORY_BYTES = 64L << 30;
  static final double MIN_CPUS = 0.05;
  static final double MAX_CPUS = 64;
  static final Duration MIN_TIMEOUT = Duration.ofMillis(100);
  static final Duration MAX_TIMEOUT = Duration.ofMinutes(15);

  static final String HANDLERS_RULE = "handlers is a whole number from 1 to " + MAX_HANDLERS;
  static final String MEMORY_RULE =
      "memory is from 16M to 64G, written like 128M or 1G, or as a number of bytes";
  static final String CPUS_RULE = "cpus is a number of cores from 0.05 to 64, such as 0.5";
  static final String TIMEOUT_RULE =
      "timeout is from 100ms to 15m, written like 500ms, 10s, 2m or PT10S";

  private static final Pattern RUNTIME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
  private static final Pattern ENTRY =
      Pattern.compile(
          "(?!\\.\\.?(?:/|$))[^/\\\\\\p{Cntrl}]+(?:/(?!\\.\\.?(?:/|$))[^/\\\\\\p{Cntrl}]+)*");
  private static final Pattern LINK_ATTRIBUTE = Pattern.compile("[a-z][a-z0-9-]{0,31}");

  /** What the gateway says itself, or what would make the link one of another resource. */
  private static final Set<String> RESERVED_ATTRIBUTES =
      Set.of("href", "obs", "rel", "rev", "anchor");

  private static final Pattern LABEL = Pattern.compile("[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?");

  public FunctionSpec {
    if (!RUNTIME.matcher(runtime).matches()) {
      throw invalid(
          "runtime",
          "runtime names a runtime that is installed, such as nodejs or java: 1 to 63 letters,"
              + " digits, dots, hyphens and underscores.");
    }
    if (handlers < 1 || handlers > MAX_HANDLERS) {
      throw invalid("handlers", "handlers is " + handlers + ", but " + HANDLERS_RULE + ".");
    }
    if (memoryBytes < MIN_MEMORY_BYTES || memoryBytes > MAX_MEMORY_BYTES) {
      throw invalid("memory", "memory is " + memoryBytes + " bytes, but " + MEMORY_RULE + ".");
    }
    if (!(cpus >= MIN_CPUS && cpus <= MAX_CPUS)) {
      throw invalid("cpus", "cpus is " + cpus + ", but " + CPUS_RULE + ".");
    }
    if (timeout.compareTo(MIN_TIMEOUT) < 0 || timeout.compareTo(MAX_TIMEOUT) > 0) {
      throw invalid("timeout", "timeout is " + timeout + ", but " + TIMEOUT_RULE + ".");
    }
    timeout = timeout.truncatedTo(ChronoUnit.MILLIS);
    environment = Collections.unmodifiableMap(new TreeMap<>(environment));
    checkEnvironment(environment);
    labels = Collections.unmodifiableMap(new TreeMap<>(labels));
    checkLabels(labels);
    entry.ifPresent(FunctionSpec::checkEntry);
    checkLink(exposure.link());
  }

  FunctionSpec withHandlers(int number) {
    return new FunctionSpec(
        runtime,
        number,
        environment,
        memoryBytes,
        cpus,
        timeout,
        networkAccess,
        labels,
        entry,
        exposure);
  }

  /** The same under the runtime's own name, where an alias was given. */
  public FunctionSpec withRuntime(String name) {
    return new FunctionSpec(
        name,
        handlers,
        environment,
        memoryBytes,
        cpus,
        timeout,
        networkAccess,
        labels,
        entry,
        exposure);
  }

  private static void checkEnvironment(Map<String, String> environment) {
    if (environment.size() > MAX_VARIABLES) {
      throw invalid(
          "environment",
          "environment has "
              + environment.size()
              + " variables, at most "
              + MAX_VARIABLES
              + " are allowed: put the others into a file of the archive.");
    }
    int total = 0;
    for (Map.Entry<String, String> variable : environment.entrySet()) {
      String name = variable.getKey();
      if (name.length() > MAX_VARIABLE_NAME || !VARIABLE.matcher(name).matches()) {
        throw invalid(
            "environment",
            "environment has a variable named "
                + quoted(name)
                + "; a name has 1 to "
                + MAX_VARIABLE_NAME
                + " letters, digits and underscores and does not start with a digit.");
      }
      String field = "environment." + name;
      if (name.startsWith("TINYFAAS_")) {
        throw invalid(
            field, name + " cannot be set: names starting with TINYFAAS_ belong to the platform.");
      }
      int bytes = lengthOf(field, variable.getValue());
      if (bytes > MAX_VARIABLE_BYTES) {
        throw invalid(
            field,
            name
                + " has "
                + bytes
                + " bytes, at most "
                + MAX_VARIABLE_BYTES
                + " are allowed: put larger values into a file of the archive.");
      }
      total += name.length() + bytes;
    }
    if (total > MAX_ENVIRONMENT_BYTES) {
      throw invalid(
          "environment",
          "environment has "
              + total
              + " bytes in all, at most "
              + MAX_ENVIRONMENT_BYTES
              + " are allowed: put larger values into a file of the archive.");
    }
  }

  private static void checkLabels(Map<String, String> labels) {
    if (labels.size() > MAX_LABELS) {
      throw invalid(
          "labels",
          "labels has " + labels.size() + " entries, at most " + MAX_LABELS + " are allowed.");
    }
    labels.forEach(
        (name, value) -> {
          if (!LABEL.matcher(name).matches() || name.startsWith("tinyfaas.")) {
            throw invalid(
                "labels",
                "labels has one named "
                    + quoted(name)
                    + "; a name has 1 to 63 lower-case letters, digits, and inner dots and hyphens,"
                    + " and does not start with tinyfaas. since those belong to the platform.");
          }
          String field = "labels." + name;
          int bytes = lengthOf(field, value);
          if (bytes > MAX_LABEL_BYTES) {
            throw invalid(
                field,
                "label "
                    + name
                    + " has "
                    + bytes
                    + " bytes, at most "
                    + MAX_LABEL_BYTES
                    + " are allowed.");
          }
        });
  }

  private static void checkEntry(String entry) {
    if (entry.length() > MAX_ENTRY || !ENTRY.matcher(entry).matches()) {
      throw invalid(
          "entry",
          "entry is "
              + quoted(entry)
              + ", but entry is the path of a file in the archive, such as bin/run: at most "
              + MAX_ENTRY
              + " characters, not absolute, and without \"..\".");
    }
  }

  private static void checkLink(Map<String, String> link) {
    if (link.size() > MAX_LINK_ATTRIBUTES) {
      throw invalid(
          "link",
          "link has "
              + link.size()
              + " attributes, at most "
              + MAX_LINK_ATTRIBUTES
              + " are allowed.");
    }
    link.forEach(
        (name, value) -> {
          if (!LINK_ATTRIBUTE.matcher(name).matches() || RESERVED_ATTRIBUTES.contains(name)) {
            throw invalid(
                "link",
                "link has an attribute named "
                    + quoted(name)
                    + "; a name has 1 to 32 lower-case letters, digits and hyphens, starts with a"
                    + " letter, and is not one of href, obs, rel, rev and anchor.");
          }
          String field = "link." + name;
          if (lengthOf(field, value) > MAX_LINK_VALUE_BYTES
              || value.chars().anyMatch(Character::isISOControl)) {
            throw invalid(
                field,
                field
                    + " is "
                    + quoted(value)
                    + ", but an attribute has at most "
                    + MAX_LINK_VALUE_BYTES
                    + " bytes and no control characters.");
          }
        });
  }

  /** In UTF-8; what no process can take as a variable is refused. */
  private static int lengthOf(String field, String value) {
    if (value.indexOf('\0') >= 0 || !UTF_8.newEncoder().canEncode(value)) {
      throw invalid(field, field + " holds a NUL character or half a surrogate pair: remove it.");
    }
    return value.getBytes(UTF_8).length;
  }

  static ProblemException invalid(String field, String detail) {
    return ProblemException.ofField(INVALID_SPEC, field, detail);
  }

  /** What a caller sent, fit to stand in a message: short and without control characters. */
  public static String quoted(String text) {
    String shown = text.length() > 60 ? text.substring(0, 60) + "…" : text;
    return '"' + shown.replaceAll("\\p{Cntrl}", "?") + '"';
  }
}
