package io.tinyfaas.harness;

import java.util.Random;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

/**
 * Where a test takes what is random from. A failure names the seed, and {@code -Dtinyfaas.seed=N}
 * repeats it. To be registered with {@code @RegisterExtension}.
 */
public final class Seed implements TestExecutionExceptionHandler {

  private final long value = Long.getLong("tinyfaas.seed", System.nanoTime());

  public long value() {
    return value;
  }

  /** A generator of its own for each caller, so that they do not depend on each other's order. */
  public Random random() {
    return new Random(value);
  }

  @Override
  public void handleTestExecutionException(ExtensionContext context, Throwable failure)
      throws Throwable {
    failure.addSuppressed(new Repeatable(value));
    throw failure;
  }

  private static final class Repeatable extends Exception {
    private static final long serialVersionUID = 1;

    Repeatable(long seed) {
      super(
          "the seed was " + seed + ": -Dtinyfaas.seed=" + seed + " repeats it", null, false, false);
    }
  }
}
