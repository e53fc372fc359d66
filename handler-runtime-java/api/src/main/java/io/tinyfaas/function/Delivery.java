package io.tinyfaas.function;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * How a function is called.
 *
 * @param isDurable the call is on disk when it is accepted (202), and runs once at least; nobody
 *     waits for the function
 * @param delay of a durable call
 * @param idempotencyKey of a durable call: another one with the same key is the same call
 * @param timeout after which the answer is waited for no longer; without it, until nobody waits for
 *     this function's own answer any more
 */
public record Delivery(
    boolean isDurable,
    Optional<Duration> delay,
    Optional<String> idempotencyKey,
    Optional<Duration> timeout) {

  /** Waits for the answer. */
  public static final Delivery DIRECT =
      new Delivery(false, Optional.empty(), Optional.empty(), Optional.empty());

  /**
   * @throws IllegalArgumentException if a duration is negative, or what is a durable call's is said
   *     of another
   */
  public Delivery {
    Objects.requireNonNull(delay, "delay");
    Objects.requireNonNull(idempotencyKey, "idempotencyKey");
    if (!isDurable && (delay.isPresent() || idempotencyKey.isPresent())) {
      throw new IllegalArgumentException("delay and idempotency key are for durable calls");
    }
    if (delay.filter(Duration::isNegative).isPresent()) {
      throw new IllegalArgumentException("the delay " + delay.get() + " is negative");
    }
    if (timeout.filter(time -> time.isNegative() || time.isZero()).isPresent()) {
      throw new IllegalArgumentException("the timeout " + timeout.get() + " is not above 0");
    }
  }

  public static Delivery durable() {
    return new Delivery(true, Optional.empty(), Optional.empty(), Optional.empty());
  }

  /** It runs no earlier. */
  public Delivery after(Duration delay) {
    return new Delivery(isDurable, Optional.of(delay), idempotencyKey, timeout);
  }

  public Delivery withIdempotencyKey(String key) {
    return new Delivery(isDurable, delay, Optional.of(key), timeout);
  }

  public Delivery within(Duration timeout) {
    return new Delivery(isDurable, delay, idempotencyKey, Optional.of(timeout));
  }

  /** What has come to the gateway may be sent again without being run twice. */
  boolean isRepeatable() {
    return isDurable && idempotencyKey.isPresent();
  }
}
