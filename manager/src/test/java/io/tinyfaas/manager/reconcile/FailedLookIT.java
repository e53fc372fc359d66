package io.tinyfaas.manager.reconcile;

import static io.tinyfaas.harness.Eventually.eventually;

import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusMock;
import io.quarkus.test.junit.QuarkusTest;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.RealParts;
import io.tinyfaas.manager.handler.HandlerContainer;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A function that was deleted while the engine failed, which neither store nor engine tells of. */
@Tag("slow")
@QuarkusTest
@WithTestResource(RealParts.class)
class FailedLookIT {

  @Inject Reconciler reconciler;

  private static final class FailingRunner extends FunctionRunner {

    private final AtomicInteger looks = new AtomicInteger();

    FailingRunner() {
      super(null, null, null, null, null, null, null, null, null);
    }

    @Override
    Optional<Duration> reconcile(FunctionName function, BooleanSupplier givenUp) {
      if (looks.incrementAndGet() < 3) {
        throw new IllegalStateException("the engine does not answer");
      }
      return Optional.empty();
    }

    @Override
    boolean isSettled(FunctionName function, List<HandlerContainer> found) {
      return true;
    }

    @Override
    void guardHost() {}

    @Override
    Set<FunctionName> retiring() {
      return Set.of();
    }
  }

  @Test
  void shouldBeRepeatedUntilItSucceeds() {
    FailingRunner runner = new FailingRunner();
    QuarkusMock.installMockForType(runner, FunctionRunner.class);

    reconciler.signal(new FunctionName("Gone"));

    eventually().until(() -> runner.looks.get() == 3);
  }
}
