package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.gateway.invoke.InvocationResult;
import java.util.Optional;

/** What becomes of the wish that a function be called without anybody waiting for its answer. */
public sealed interface Acceptance {

  /** It is on disk: it will run, or be seen among the failed ones. */
  record Accepted(CallId id) implements Acceptance {}

  /**
   * It would not run.
   *
   * @param why as an invocation would have ended
   */
  record Refused(InvocationResult why) implements Acceptance {}

  /**
   * Whom its client has named would not hear what becomes of it.
   *
   * @param why as the end of a sentence about the callback, for the client's author
   */
  record NoCallback(String why) implements Acceptance {}

  /** Too many calls are waiting or have failed, in all or of the function. */
  record TooMany() implements Acceptance {}

  /** Another request has had the same idempotency key. */
  record KeyReused() implements Acceptance {}

  /** The disk does not take it. */
  record NotStored() implements Acceptance {}

  /** Its name in metrics, if it was refused. */
  default Optional<String> refusal() {
    return switch (this) {
      case Accepted _ -> Optional.empty();
      case Refused refused -> Optional.of(refused.why().outcome());
      case NoCallback _, KeyReused _ -> Optional.of("bad_request");
      case TooMany _ -> Optional.of("overloaded");
      case NotStored _ -> Optional.of("not_stored");
    };
  }
}
