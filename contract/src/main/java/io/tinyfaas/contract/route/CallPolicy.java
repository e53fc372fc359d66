package io.tinyfaas.contract.route;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What becomes of a function's calls: of those that the gateway accepts now and runs later.
 *
 * @param durable whether every POST is accepted as a call, whatever the client asked for
 * @param retries how often a call is tried again after its first attempt, 0 to {@value
 *     #MAX_RETRIES}
 * @param backoffMillis until the first retry, doubled for each further one, in milliseconds, 100 to
 *     {@value #MAX_BACKOFF_MILLIS}
 * @param maxAgeMillis since it was accepted, after which a call has failed, in milliseconds, 1,000
 *     to {@value #MAX_MAX_AGE_MILLIS}
 * @param retryOn what is tried again
 * @param onFailure the function that is called with a call that has failed
 */
public record CallPolicy(
    boolean durable,
    int retries,
    long backoffMillis,
    long maxAgeMillis,
    Set<RetryOn> retryOn,
    @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<FunctionName> onFailure) {

  public static final int MAX_RETRIES = 100;

  public static final long MIN_BACKOFF_MILLIS = 100;

  /** An hour. */
  public static final long MAX_BACKOFF_MILLIS = 3_600_000;

  public static final long MIN_MAX_AGE_MILLIS = 1_000;

  /** 30 days. */
  public static final long MAX_MAX_AGE_MILLIS = 2_592_000_000L;

  /** Calls are accepted if a client asks for it, and tried five times more, for up to a day. */
  public static final CallPolicy DEFAULT =
      new CallPolicy(
          false,
          5,
          1_000,
          86_400_000,
          EnumSet.allOf(RetryOn.class),
          Optional.<FunctionName>empty());

  /**
   * @throws IllegalArgumentException if a number is out of its range
   */
  public CallPolicy {
    requireWithin("retries", retries, 0, MAX_RETRIES);
    requireWithin("backoffMillis", backoffMillis, MIN_BACKOFF_MILLIS, MAX_BACKOFF_MILLIS);
    requireWithin("maxAgeMillis", maxAgeMillis, MIN_MAX_AGE_MILLIS, MAX_MAX_AGE_MILLIS);
    Objects.requireNonNull(onFailure, "onFailure");
    Set<RetryOn> inOrder = EnumSet.noneOf(RetryOn.class);
    inOrder.addAll(retryOn);
    retryOn = Collections.unmodifiableSet(inOrder);
  }

  private static void requireWithin(String what, long value, long least, long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          what + " is " + value + ", not from " + least + " to " + most);
    }
  }

  /**
   * Equals what a route leaves out: most functions have the defaults, and a table many functions.
   */
  static final class Unsaid {
    @Override
    public boolean equals(Object policy) {
      return DEFAULT.equals(policy);
    }

    @Override
    public int hashCode() {
      return DEFAULT.hashCode();
    }
  }
}
