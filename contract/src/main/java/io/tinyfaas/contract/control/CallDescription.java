package io.tinyfaas.contract.control;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.tinyfaas.contract.route.FunctionName;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * A call as the gateway knows it.
 *
 * @param attempts that were begun
 * @param nextAttemptAt of one that waits
 * @param finishedAt of one that is done or has failed
 * @param status of the function's last answer
 * @param reason why it has failed, or its last attempt; for people, at most {@value #MAX_REASON}
 *     characters and no control characters
 * @param protocol by which it came, such as {@code http}; at most {@value #MAX_PROTOCOL} characters
 * @param device that sent it, if it has proved its name; at most {@value #MAX_DEVICE} characters
 * @param callback of one that tells what has become of another call of the function: whom, a topic
 *     or a server; at most {@value #MAX_CALLBACK} characters
 */
@JsonInclude(JsonInclude.Include.NON_ABSENT)
public record CallDescription(
    CallId id,
    FunctionName function,
    CallState state,
    int attempts,
    Instant acceptedAt,
    Optional<Instant> nextAttemptAt,
    Optional<Instant> finishedAt,
    Optional<Integer> status,
    Optional<String> reason,
    String protocol,
    Optional<String> device,
    Optional<String> callback) {

  public static final int MAX_REASON = 256;
  public static final int MAX_PROTOCOL = 16;
  public static final int MAX_DEVICE = 128;
  public static final int MAX_CALLBACK = 64;

  /**
   * @throws IllegalArgumentException if a text is too long or has control characters
   */
  public CallDescription {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(function, "function");
    Objects.requireNonNull(state, "state");
    Objects.requireNonNull(acceptedAt, "acceptedAt");
    Objects.requireNonNull(nextAttemptAt, "nextAttemptAt");
    Objects.requireNonNull(finishedAt, "finishedAt");
    Objects.requireNonNull(status, "status");
    if (attempts < 0) {
      throw new IllegalArgumentException("attempts is " + attempts);
    }
    reason.ifPresent(text -> requireText("reason", text, MAX_REASON));
    requireText("protocol", protocol, MAX_PROTOCOL);
    device.ifPresent(text -> requireText("device", text, MAX_DEVICE));
    callback.ifPresent(text -> requireText("callback", text, MAX_CALLBACK));
  }

  /** Bounded, so that the largest page is smaller than the largest message. */
  static void requireText(String what, String text, int most) {
    if (text.length() > most || text.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          what + " has more than " + most + " characters, or control characters");
    }
  }
}
