package io.tinyfaas.harness;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/**
 * All waiting of the tests. A test says how long something may take on a quiet machine, which is
 * far more than it does take; the environment variable {@code TINYFAAS_TEST_PATIENCE} multiplies
 * that, on a machine that is slower or busy. What is awaited usually comes at once, so patience
 * costs nothing but where a test fails.
 */
public final class Eventually {

  /** At least 1. */
  private static final double PATIENCE = patience(System.getenv("TINYFAAS_TEST_PATIENCE"));

  private static final Duration USUAL = Duration.ofSeconds(20);

  private Eventually() {}

  /** Up to 20 s, times the patience. */
  public static ConditionFactory eventually() {
    return within(USUAL);
  }

  /**
   * @param quiet how long it may take on a quiet machine
   */
  public static ConditionFactory within(Duration quiet) {
    return Awaitility.await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(50))
        .atMost(patient(quiet));
  }

  /** How long to wait on this machine for what may take so long on a quiet one. */
  public static Duration patient(Duration quiet) {
    return Duration.ofMillis((long) (quiet.toMillis() * PATIENCE));
  }

  static double patience(String configured) {
    return configured == null || configured.isBlank()
        ? 2
        : Math.max(1, Double.parseDouble(configured));
  }
}
