package io.tinyfaas.gateway.call;

import static io.tinyfaas.gateway.call.PlayedCalls.answer;
import static io.tinyfaas.gateway.call.PlayedCalls.callOf;
import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.gateway.call.Acceptance.Accepted;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.journal.Batch;
import io.tinyfaas.gateway.journal.PlayedDisk;
import io.tinyfaas.harness.Seed;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The power goes while calls are accepted that somebody counts on the same disk. Whoever goes on
 * from his count asks for no call twice, and leaves none out.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class BesidePowerCutTest {

  private static final int LIVES = 40;
  private static final long KEY = -7;

  @RegisterExtension final Seed seed = new Seed();

  /** By what was to be done, the calls that did it. */
  private final Map<String, Set<String>> ran = new ConcurrentHashMap<>();

  private PlayedDisk disk;
  private OptionalLong failedNumber = OptionalLong.empty();

  private Future<InvocationResult> function(Invocation invocation) {
    if (disk.isOff()) {
      return Promise.<InvocationResult>promise().future();
    }
    ran.computeIfAbsent(new String(invocation.body(), StandardCharsets.UTF_8), _ -> newSet())
        .add(callOf(invocation));
    return Future.succeededFuture(answer(200, "done"));
  }

  private static Set<String> newSet() {
    return ConcurrentHashMap.newKeySet();
  }

  @Test
  void shouldHaveACallForEachThatIsCountedAndNoOther() {
    Random random = seed.random();
    disk = new PlayedDisk(random);
    for (int life = 0; life < LIVES; life++) {
      try (PlayedCalls calls = new PlayedCalls(disk.folder(), this::function)) {
        calls.serve("f");
        long count = count(calls);
        disk.cutAfter(1 + random.nextInt(60));
        failedNumber = OptionalLong.empty();
        for (int i = 0; i < 40 && !disk.isOff(); i++) {
          if (accept(calls, count + 1)) {
            count++;
          }
        }
      }
      if (random.nextInt(4) == 0) {
        disk.restartProcess();
      } else {
        disk.restart();
      }
    }
    try (PlayedCalls calls = new PlayedCalls(disk.folder(), this::function)) {
      calls.serve("f");
      long count = count(calls);
      assertThat(count).isGreaterThan(LIVES);
      eventually()
          .untilAsserted(
              () -> {
                assertThat(ran).hasSize((int) count);
                assertThat(ran).allSatisfy((what, its) -> assertThat(its).as(what).hasSize(1));
              });
    }
  }

  private static long count(PlayedCalls calls) {
    byte[] record = calls.calls().takeBeside().get(KEY);
    return record == null ? 0 : ByteBuffer.wrap(record).getLong();
  }

  private boolean accept(PlayedCalls calls, long next) {
    Invocation invocation =
        new Invocation(
            "f",
            Protocol.SCHEDULE,
            InetAddress.getLoopbackAddress(),
            MultiMap.caseInsensitiveMultiMap(),
            Long.toString(next).getBytes(StandardCharsets.UTF_8));
    CompletableFuture<Acceptance> accepted =
        calls
            .onLoop(() -> calls.calls().accept(invocation, CallOptions.NONE, new Count(next)))
            .toCompletionStage()
            .toCompletableFuture();
    try {
      return accepted
              .orTimeout(patient(Duration.ofSeconds(20)).toMillis(), TimeUnit.MILLISECONDS)
              .join()
          instanceof Accepted;
    } catch (CompletionException e) {
      throw new AssertionError(e);
    }
  }

  private final class Count implements Beside {
    private final long count;

    Count(long count) {
      this.count = count;
    }

    @Override
    public void write(Batch batch, CallId call) {
      batch.put(KEY, ByteBuffer.allocate(Long.BYTES).putLong(count).array());
      failedNumber = OptionalLong.empty();
    }

    @Override
    public OptionalLong number() {
      return failedNumber;
    }

    @Override
    public void failed(long number) {
      failedNumber = OptionalLong.of(number);
    }
  }
}
