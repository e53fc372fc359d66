package io.tinyfaas.manager.spec;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_SPEC;
import static io.tinyfaas.manager.text.PlainText.quoted;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.manager.problem.ProblemException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** What the fields of a specification may hold that are more than a number. */
final class SpecRules {

  private static final int MAX_VARIABLES = 64;
  private static final int MAX_VARIABLE_NAME = 128;
  private static final int MAX_VARIABLE_BYTES = 4 * 1024;
  private static final int MAX_ENVIRONMENT_BYTES = 32 * 1024;
  private static final int MAX_LABELS = 64;
  private static final int MAX_LABEL_BYTES = 256;
  private static final int MAX_ENTRY = 255;
  private static final int MAX_LINK_ATTRIBUTES = 16;
  private static final int MAX_LINK_VALUE_BYTES = 256;

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

  private SpecRules() {}

  static void requireRuntime(String runtime) {
    if (!RUNTIME.matcher(runtime).matches()) {
      throw invalid(
          "runtime",
          "runtime names a runtime that is installed, such as nodejs or java: 1 to 63 letters,"
              + " digits, dots, hyphens and underscores.");
    }
  }

  static void requireCalls(List<FunctionName> functions) {
    if (functions.size() > Route.MAX_MAY_CALL) {
      throw invalid(
          "calls",
          "calls has "
              + functions.size()
              + " functions, at most "
              + Route.MAX_MAY_CALL
              + " are allowed: let one function of those call others.");
    }
    Set<FunctionName> seen = new HashSet<>();
    for (FunctionName function : functions) {
      if (!seen.add(function)) {
        throw invalid("calls", "calls has " + function + " twice: name it once.");
      }
      if (function.equals(FunctionName.CALLS)) {
        throw invalid("calls", "calls has " + function + ", but no function can be called that.");
      }
    }
  }

  static void requireEnvironment(Map<String, String> environment) {
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

  static void requireLabels(Map<String, String> labels) {
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

  static void requireEntry(String entry) {
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

  static void requireLink(Map<String, String> link) {
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
  static int lengthOf(String field, String value) {
    if (value.indexOf('\0') >= 0 || !UTF_8.newEncoder().canEncode(value)) {
      throw invalid(field, field + " holds a NUL character or half a surrogate pair: remove it.");
    }
    return value.getBytes(UTF_8).length;
  }

  static ProblemException invalid(String field, String detail) {
    return ProblemException.ofField(INVALID_SPEC, field, detail);
  }
}
