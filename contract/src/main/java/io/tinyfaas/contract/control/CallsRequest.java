package io.tinyfaas.contract.control;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import io.tinyfaas.contract.route.FunctionName;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * What the manager asks a gateway about a function's calls. It concerns, in the order in which they
 * were accepted, those calls that are in one of the states.
 *
 * @param id of this request, which the reply has too
 * @param call only this one
 * @param limit how many calls at most, 1 to {@value #MAX_LIMIT}
 * @param after where the page before this one ended, as its reply said
 */
public record CallsRequest(
    UUID id,
    Action action,
    FunctionName function,
    Set<CallState> states,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<CallId> call,
    int limit,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<CallsPlace> after) {

  public static final int MAX_LIMIT = 1_000;

  /** What is to be done with the calls. */
  public enum Action {
    /** They are described in the reply. */
    LIST,
    /** They begin anew, with all their attempts and their whole age before them. */
    REDRIVE,
    /** They are forgotten. */
    REMOVE;

    @JsonValue
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * @throws IllegalArgumentException if the text is none of them
     */
    @JsonCreator
    public static Action parse(String text) {
      for (Action action : values()) {
        if (action.text().equals(text)) {
          return action;
        }
      }
      throw new IllegalArgumentException("an action is list, redrive or remove");
    }
  }

  /**
   * @throws IllegalArgumentException if the limit is out of its range, if no state is named, or if
   *     others than failed calls are to begin anew or to be forgotten
   */
  public CallsRequest {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(action, "action");
    Objects.requireNonNull(function, "function");
    Objects.requireNonNull(call, "call");
    Objects.requireNonNull(after, "after");
    if (limit < 1 || limit > MAX_LIMIT) {
      throw new IllegalArgumentException("limit is " + limit + ", not from 1 to " + MAX_LIMIT);
    }
    if (states.isEmpty()) {
      throw new IllegalArgumentException("no state is named");
    }
    states = Collections.unmodifiableSet(EnumSet.copyOf(states));
    if (action != Action.LIST && !states.equals(Set.of(CallState.FAILED))) {
      throw new IllegalArgumentException(action.text() + " is for failed calls only");
    }
  }
}
