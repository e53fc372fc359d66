package io.tinyfaas.manager.spec;

import static io.tinyfaas.manager.spec.SpecRules.invalid;
import static io.tinyfaas.manager.text.PlainText.quoted;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.manager.problem.ProblemException;
import java.util.List;
import java.util.Map;

/**
 * A specification as people write it:
 *
 * <pre>{"runtime":"nodejs","handlers":2,"environment":{"A":"b"},"memory":"128M","cpus":1.5,
 *  "timeout":"10s","networkAccess":true,"labels":{},"entry":"bin/run","access":"device",
 *  "observable":true,"link":{"title":"A lamp"},"delivery":"durable",
 *  "async":{"retries":3,"backoff":"1s","maxAge":"1d","retryOn":["error"],"onFailure":"alarm"},
 *  "schedules":[{"cron":"0 6 * * *"}]}
 * </pre>
 *
 * Only {@code runtime} is needed. A field that is absent or null has its default; an unknown one is
 * refused, so that a typing error never passes for a default.
 */
public final class FunctionSpecJson {

  /** In place of a variable's value, which may be a secret; sent back, it means that value. */
  private static final String HIDDEN = "***";

  private FunctionSpecJson() {}

  /**
   * @throws ProblemException INVALID_SPEC if a field is unknown, of another type or out of range
   */
  public static FunctionSpec read(ObjectNode document) {
    document.properties().forEach(field -> requireKnown(field.getKey(), field.getValue()));
    return new FunctionSpec(
        SpecField.RUNTIME.in(document),
        SpecField.HANDLERS.in(document),
        SpecField.ENVIRONMENT.in(document),
        SpecField.MEMORY.in(document),
        SpecField.CPUS.in(document),
        SpecField.TIMEOUT.in(document),
        SpecField.NETWORK_ACCESS.in(document),
        SpecField.LABELS.in(document),
        SpecField.ENTRY.in(document),
        new Exposure(
            SpecField.ACCESS.in(document),
            SpecField.OBSERVABLE.in(document),
            SpecField.LINK.in(document)),
        new CallPolicy(
            SpecField.DELIVERY.in(document),
            SpecField.RETRIES.valid(document),
            SpecField.BACKOFF.valid(document).toMillis(),
            SpecField.MAX_AGE.valid(document).toMillis(),
            SpecField.RETRY_ON.in(document),
            SpecField.ON_FAILURE.in(document)),
        SpecField.SCHEDULES.in(document),
        SpecField.CALLS.in(document));
  }

  private static void requireKnown(String name, JsonNode value) {
    List<String> known = SpecField.names();
    if (!known.contains(name)) {
      throw unknown(name, "There is no field " + quoted(name) + "; the fields are ", known);
    }
    List<String> members = SpecField.membersOf(name);
    if (members.isEmpty() || value.isNull()) {
      return;
    }
    if (!value.isObject()) {
      throw invalid(
          name,
          name
              + " is "
              + quoted(value.isTextual() ? value.textValue() : value.toString())
              + ", but "
              + name
              + " is an object, such as {\"retries\": 3}.");
    }
    for (Map.Entry<String, JsonNode> member : value.properties()) {
      if (!members.contains(member.getKey())) {
        throw unknown(
            name + "." + member.getKey(),
            name + " has no field " + quoted(member.getKey()) + "; its fields are ",
            members);
      }
    }
  }

  private static ProblemException unknown(String name, String sentence, List<String> known) {
    int last = known.size() - 1;
    return invalid(
        quoted(name).replace("\"", ""),
        sentence + String.join(", ", known.subList(0, last)) + " and " + known.get(last) + ".");
  }

  public static ObjectNode write(FunctionSpec spec) {
    ObjectNode document = JsonNodeFactory.instance.objectNode();
    SpecField.ALL.forEach(field -> field.write(spec, document));
    return document;
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
      } else if (change.getValue() instanceof ObjectNode inner && hasMembers(name)) {
        merge(target.withObjectProperty(name), inner);
      } else {
        target.set(name, change.getValue());
      }
    }
  }

  private static boolean hasMembers(String name) {
    return !SpecField.membersOf(name).isEmpty()
        || SpecField.ALL.stream()
            .anyMatch(field -> field.name().equals(name) && field.hasMembers());
  }
}
