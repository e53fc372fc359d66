package io.tinyfaas.manager.api;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_REQUEST;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.CallsPlace;
import io.tinyfaas.contract.control.CallsReply;
import io.tinyfaas.contract.control.CallsRequest;
import io.tinyfaas.manager.problem.ProblemException;
import jakarta.ws.rs.core.UriInfo;
import java.util.List;
import java.util.Optional;

/**
 * Some of a function's calls, the first accepted first.
 *
 * @param next to be sent as {@code after} for those that follow; absent if there are none
 */
record CallsPage(
    List<CallDescription> calls,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<CallsPlace> next) {

  private static final int DEFAULT_LIMIT = 100;

  static CallsPage of(CallsReply reply) {
    return new CallsPage(reply.calls(), reply.next());
  }

  /** From a query. */
  static int limit(UriInfo uri) {
    String text = QueryParameters.single(uri, "limit").orElse(Integer.toString(DEFAULT_LIMIT));
    if (!text.matches("[1-9]\\d{0,3}") || Integer.parseInt(text) > CallsRequest.MAX_LIMIT) {
      throw ProblemException.ofField(
          INVALID_REQUEST,
          "limit",
          "limit is a whole number from 1 to " + CallsRequest.MAX_LIMIT + ".");
    }
    return Integer.parseInt(text);
  }

  /** From a query. */
  static Optional<CallsPlace> after(UriInfo uri) {
    return QueryParameters.single(uri, "after")
        .map(
            text -> {
              if (!CallsPlace.isValid(text)) {
                throw ProblemException.ofField(
                    INVALID_REQUEST, "after", "after is what the answer before had as next.");
              }
              return new CallsPlace(text);
            });
  }
}
