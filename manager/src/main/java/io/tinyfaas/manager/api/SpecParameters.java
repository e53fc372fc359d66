package io.tinyfaas.manager.api;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_REQUEST;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.spec.PartialSpec;
import io.tinyfaas.manager.spec.SpecField;
import jakarta.ws.rs.core.MultivaluedMap;
import java.util.List;
import java.util.Optional;

/**
 * Fields of a specification in the query: {@code
 * ?runtime=nodejs&handlers=2&env=A=b&env=C=d&async.retries=3}. What is no number or boolean where
 * one belongs is passed on as it is, and refused as in JSON.
 */
final class SpecParameters {

  private SpecParameters() {}

  static PartialSpec read(MultivaluedMap<String, String> query) {
    ObjectNode document = JsonNodeFactory.instance.objectNode();
    query.forEach((name, values) -> put(document, name, values));
    return PartialSpec.of(document);
  }

  private static void put(ObjectNode document, String name, List<String> values) {
    Optional<SpecField<?>> field =
        SpecField.ALL.stream().filter(each -> each.inQuery().equals(name)).findFirst();
    if (field.isPresent() && field.get().hasMembers()) {
      putMembers(document.withObjectProperty(field.get().name()), name, values);
    } else if (field.isPresent()) {
      field.get().put(document, field.get().parse(single(name, values)));
    } else if (!SpecField.membersOf(name).isEmpty()) {
      throw ProblemException.ofField(
          INVALID_REQUEST,
          name,
          "In the query, each field of "
              + name
              + " is written by itself: "
              + name
              + "."
              + SpecField.membersOf(name).getFirst()
              + "=VALUE.");
    } else if (SpecField.ALL.stream().anyMatch(each -> each.name().equals(name))) {
      throw ProblemException.ofField(
          INVALID_REQUEST,
          name,
          "In the query, variables are written env=KEY=VALUE and labels label=KEY=VALUE.");
    } else {
      document.put(
          name, single(name, values)); // and is refused with a list of those that there are
    }
  }

  private static void putMembers(ObjectNode document, String name, List<String> values) {
    for (String value : values) {
      int equals = value.indexOf('=');
      if (equals < 1) {
        throw ProblemException.ofField(
            INVALID_REQUEST, name, name + " is written KEY=VALUE: " + name + "=GREETING=hello.");
      }
      String key = value.substring(0, equals);
      if (document.has(key)) {
        throw ProblemException.ofField(INVALID_REQUEST, name, name + " sets a key twice.");
      }
      document.put(key, value.substring(equals + 1));
    }
  }

  private static String single(String name, List<String> values) {
    if (values.size() != 1) {
      throw ProblemException.ofField(INVALID_REQUEST, name, name + " is given more than once.");
    }
    return values.getFirst();
  }
}
