package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Eventually;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.Predicate;

/**
 * What a timer of the gateway cuts short, if a busy machine makes it take long. It is repeated
 * until it is over in time; an attempt that is cut short earlier than the timer goes off is a
 * failure.
 */
final class InTime {

  private static final Duration ATTEMPTS = Duration.ofMinutes(1);

  private InTime() {}

  /**
   * @param timer that starts when the attempt does, or later
   * @param attempt has nothing to do with those before it
   * @param isInTime whether this came of an attempt that was not cut short
   * @return what came of the one that was not
   */
  static <T> T before(Duration timer, Callable<T> attempt, Predicate<T> isInTime) {
    long end = System.nanoTime() + Eventually.patient(ATTEMPTS).toNanos();
    while (true) {
      long begin = System.nanoTime();
      T outcome = call(attempt);
      long now = System.nanoTime();
      if (isInTime.test(outcome)) {
        return outcome;
      }
      assertThat(Duration.ofNanos(now - begin))
          .as("time of an attempt that ended with %s", outcome)
          .isGreaterThanOrEqualTo(timer);
      assertThat(now)
          .as("time of attempts, the last of which ended with %s", outcome)
          .isLessThan(end);
    }
  }

  private static <T> T call(Callable<T> attempt) {
    try {
      return attempt.call();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
