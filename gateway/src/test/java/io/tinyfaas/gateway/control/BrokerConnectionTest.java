package io.tinyfaas.gateway.control;

import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.gateway.Settings;
import io.tinyfaas.gateway.loop.EventLoops;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BrokerConnectionTest {

  private static final Duration ANSWER = Duration.ofSeconds(20);

  /** As many event loops as the gateway has. */
  private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(2));

  @AfterEach
  void stop() {
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }

  private static Thread thread(Consumer<Runnable> runner) {
    CompletableFuture<Thread> thread = new CompletableFuture<>();
    runner.accept(() -> thread.complete(Thread.currentThread()));
    return thread.orTimeout(patient(ANSWER).toMillis(), TimeUnit.MILLISECONDS).join();
  }

  @Test
  void shouldNotHoldUpInvocations() {
    BrokerSettings settings = Settings.with(BrokerSettings.class, "tinyfaas.broker.port", "1");
    for (int i = 0; i < 3; i++) { // whichever loop it is that is given next
      vertx.getOrCreateContext();
      EventLoops loops = new EventLoops(vertx);
      BrokerConnection broker = new BrokerConnection(vertx, loops, settings);

      Thread invocations = thread(task -> loops.invocations().runOnContext(run -> task.run()));

      assertThat(thread(broker::run)).isNotSameAs(invocations);
      assertThat(thread(broker::run)).isSameAs(thread(broker::run));
    }
  }
}
