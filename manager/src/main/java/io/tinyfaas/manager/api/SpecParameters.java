package io.tinyfaas.manager.api;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_REQUEST;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.store.SpecFields;
import jakarta.ws.rs.core.MultivaluedMap;
import java.math.BigDecimal;
import java.util.List;

/**
 * Fields of a specification in the query: {@code ?runtime=nodejs&handlers=2&env=A=b&env=C=d}. What
 * is no number or boolean where one belongs is passed on as it is, and refused as in JSON.
 */
final class SpecParameters {

  private SpecParameters() {}

  static SpecFields read(MultivaluedMap<String, String> query) {
    ObjectNode document = JsonNodeFactory.instance.objectNode();
    query.forEach(
        (name, values) -> {
          switch (name) {
            case "env" -> put(document.withObjectProperty("environment"), name, values);
            case "label" -> put(document.withObjectProperty("labels"), name, values);
            case "link" -> put(document.withObjectProperty("link"), name, values);
            case "environment", "labels" -> throw unknown(name);
            default -> put(document, name, single(name, values));
          }
        });
    return SpecFields.of(document);
  }

  private static void put(ObjectNode document, String name, String value) {
    if ((name.equals("networkAccess") || name.equals("observable"))
        && (value.equals("true") || value.equals("false"))) {
      document.put(name, Boolean.parseBoolean(value));
    } else if (name.equals("handlers") && value.matches("-?\\d{1,18}")) {
      document.put(name, Long.parseLong(value));
    } else if (name.equals("cpus") && value.matches("-?\\d{1,9}(\\.\\d{1,9})?")) {
      document.put(name, new BigDecimal(value));
    } else {
      document.put(name, value);
    }
  }

  private static void put(ObjectNode document, String name, List<String> values) {
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

  private static ProblemException unknown(String name) {
    return ProblemException.ofField(
        INVALID_REQUEST,
        name,
        "In the query, variables are written env=KEY=VALUE and labels label=KEY=VALUE.");
  }
}
