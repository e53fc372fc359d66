package io.tinyfaas.manager.api;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_REQUEST;

import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.text.PlainText;
import jakarta.ws.rs.core.UriInfo;
import java.util.List;
import java.util.Optional;

/** So that no typing error in a parameter's name passes for a call without it. */
final class QueryParameters {

  private QueryParameters() {}

  /**
   * @throws ProblemException INVALID_REQUEST if there are others than these
   */
  static void requireOnly(UriInfo uri, String... known) {
    List<String> names = List.of(known);
    for (String name : uri.getQueryParameters().keySet()) {
      if (!names.contains(name)) {
        throw ProblemException.ofField(
            INVALID_REQUEST,
            PlainText.quoted(name).replace("\"", ""),
            "This call has no parameter "
                + PlainText.quoted(name)
                + (names.isEmpty() ? ", nor any other" : ", only " + String.join(" and ", names))
                + ".");
      }
    }
  }

  /**
   * @throws ProblemException INVALID_REQUEST if it is given more than once
   */
  static Optional<String> single(UriInfo uri, String name) {
    List<String> values = uri.getQueryParameters().getOrDefault(name, List.of());
    if (values.size() > 1) {
      throw ProblemException.ofField(INVALID_REQUEST, name, name + " is given more than once.");
    }
    return values.stream().findFirst();
  }
}
