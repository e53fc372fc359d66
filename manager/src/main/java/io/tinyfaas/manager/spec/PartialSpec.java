package io.tinyfaas.manager.spec;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tinyfaas.manager.problem.ProblemException;
import java.util.Map;
import java.util.Optional;

/**
 * What a deployment says of a specification. A function keeps what is not named, so that new code
 * needs no more than the code; a new one has defaults there.
 */
public final class PartialSpec {

  /** In place of the runtime of a function that may be there. */
  private static final String ANY_RUNTIME = "any";

  private final ObjectNode named;
  private final ObjectNode ofNewFunctions;

  private PartialSpec(ObjectNode named, ObjectNode ofNewFunctions) {
    this.named = named;
    this.ofNewFunctions = ofNewFunctions;
  }

  /**
   * @param named fields as in {@link FunctionSpecJson}, each to be replaced as a whole, those in an
   *     object of fields one by one; null sets it to its default
   * @throws ProblemException INVALID_SPEC if one is unknown, of another type or out of range
   */
  public static PartialSpec of(ObjectNode named) {
    return of(named, JsonNodeFactory.instance.objectNode());
  }

  /**
   * @param ofNewFunctions what they have in place of defaults
   */
  public static PartialSpec of(ObjectNode named, ObjectNode ofNewFunctions) {
    ObjectNode complete = named.deepCopy();
    if (!complete.has("runtime")) {
      complete.put("runtime", ANY_RUNTIME);
    }
    FunctionSpecJson.read(complete);
    return new PartialSpec(named.deepCopy(), ofNewFunctions.deepCopy());
  }

  /**
   * The runtime that is asked for, by its name or an alias.
   *
   * @param active what the function has, if it is there
   * @throws ProblemException INVALID_SPEC if there is none
   */
  public String runtime(Optional<FunctionSpec> active) {
    return active.isPresent() && !named.has("runtime")
        ? active.get().runtime()
        : SpecField.RUNTIME.in(named);
  }

  /**
   * The whole specification. What is to be run in an archive is another runtime's to say: {@code
   * entry} stays only with the runtime.
   *
   * @param active as for {@link #runtime}
   * @param runtime its own name
   * @throws ProblemException INVALID_SPEC if a value is hidden that the function does not have
   */
  public FunctionSpec on(Optional<FunctionSpec> active, String runtime) {
    ObjectNode document = active.map(FunctionSpecJson::write).orElseGet(ofNewFunctions::deepCopy);
    if (active.filter(now -> !now.runtime().equals(runtime)).isPresent()) {
      document.remove("entry");
    }
    named.properties().forEach(field -> replace(document, field.getKey(), field.getValue()));
    FunctionSpecJson.reveal(document, active.map(FunctionSpec::environment).orElse(Map.of()));
    return FunctionSpecJson.read(document.put("runtime", runtime));
  }

  private static void replace(ObjectNode document, String name, JsonNode value) {
    if (!SpecField.membersOf(name).isEmpty()
        && document.get(name) instanceof ObjectNode fields
        && value instanceof ObjectNode changed) {
      fields.setAll(changed.deepCopy());
    } else {
      document.set(name, value.deepCopy());
    }
  }
}
