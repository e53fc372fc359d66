package io.tinyfaas.contract.control;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/**
 * A gateway's answer to a {@link CallsRequest}.
 *
 * @param id the request's
 * @param count how many calls were listed, set to begin anew, or forgotten
 * @param calls what was to be listed, in the order in which they were accepted
 * @param next where this page ends, if there are more such calls behind it
 * @param problem why the gateway could not do it, for people; at most {@value
 *     CallDescription#MAX_REASON} characters and no control characters
 */
public record CallsReply(
    UUID id,
    int count,
    List<CallDescription> calls,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<CallsPlace> next,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<String> problem) {

  /**
   * @throws IllegalArgumentException if there are more calls than may be asked for, or the problem
   *     is too long or has control characters
   */
  public CallsReply {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(next, "next");
    calls = List.copyOf(calls);
    if (count < 0 || count > CallsRequest.MAX_LIMIT || calls.size() > CallsRequest.MAX_LIMIT) {
      throw new IllegalArgumentException(
          "a reply is of at most " + CallsRequest.MAX_LIMIT + " calls");
    }
    problem.ifPresent(
        text -> CallDescription.requireText("problem", text, CallDescription.MAX_REASON));
  }

  public static CallsReply listed(UUID id, List<CallDescription> calls, Optional<CallsPlace> next) {
    return new CallsReply(id, calls.size(), calls, next, Optional.empty());
  }

  /** To {@code redrive} and {@code remove}. */
  public static CallsReply changed(UUID id, int count, Optional<CallsPlace> next) {
    return new CallsReply(id, count, List.of(), next, Optional.empty());
  }

  public static CallsReply problem(UUID id, String problem) {
    return new CallsReply(id, 0, List.of(), Optional.empty(), Optional.of(problem));
  }
}
