package io.tinyfaas.gateway.call;

import static io.tinyfaas.gateway.call.PlayedCalls.answer;
import static io.tinyfaas.gateway.call.PlayedCalls.callOf;
import static io.tinyfaas.gateway.call.PlayedCalls.route;
import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.RetryOn;
import io.tinyfaas.gateway.call.Acceptance.Accepted;
import io.tinyfaas.gateway.callback.PlayedCallbacks;
import io.tinyfaas.gateway.callback.PlayedPublisher;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.journal.PlayedDisk;
import io.tinyfaas.gateway.mqtt.Message;
import io.tinyfaas.harness.Seed;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The power goes while calls are accepted, run, tried again, end and are followed by others. A
 * ledger outside of it knows what was promised. What threads do at the same time is not in the
 * seed.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class CallsPowerCutTest {

  private static final int HISTORIES = 6;
  private static final int LIVES = 10;

  @RegisterExtension final Seed seed = new Seed();

  @Test
  void shouldLoseNoCallAndRunNoneAgainThatIsDone() {
    Random random = seed.random();
    for (int i = 0; i < HISTORIES; i++) {
      new History(random).live();
    }
  }

  /** What a function does with a call. */
  private enum Kind {
    DOES,
    DOES_LATER,
    DOES_THE_SECOND_TIME,
    REFUSES,
    NEVER_DOES;

    boolean isDone() {
      return this != REFUSES && this != NEVER_DOES;
    }
  }

  private enum Callback {
    NONE,
    FUNCTION,
    TOPIC
  }

  private record Promised(Kind kind, Callback callback) {}

  private static final class History {
    private final Random random;
    private final PlayedDisk disk;
    private final Map<CallId, Promised> promised = new ConcurrentHashMap<>();
    private final Set<String> removed = ConcurrentHashMap.newKeySet();
    private final Set<String> done = ConcurrentHashMap.newKeySet();
    private final Set<String> ran = ConcurrentHashMap.newKeySet();
    private final Set<String> calledBack = ConcurrentHashMap.newKeySet();
    private final Set<String> published = ConcurrentHashMap.newKeySet();
    private final Set<String> alarmed = ConcurrentHashMap.newKeySet();
    private final Set<String> ranAgain = ConcurrentHashMap.newKeySet();

    History(Random random) {
      this.random = random;
      this.disk = new PlayedDisk(random);
    }

    void live() {
      for (int life = 0; life < LIVES; life++) {
        if (random.nextInt(4) == 0) {
          disk.cutAfter(1 + random.nextInt(20)); // while it is read
        }
        try (PlayedCalls calls = start()) {
          disk.cutAfter(1 + random.nextInt(random.nextBoolean() ? 30 : 300));
          work(calls);
        }
        if (random.nextInt(5) == 0) {
          disk.restartProcess();
        } else {
          disk.restart();
        }
      }
      try (PlayedCalls calls = start()) {
        checkAll(calls);
      }
    }

    private PlayedCalls start() {
      PlayedPublisher broker = new PlayedPublisher();
      broker.does(this::publish);
      PlayedCalls calls =
          new PlayedCalls(
              disk.folder(), this::function, 0, loop -> PlayedCallbacks.to(loop, broker));
      CallPolicy policy =
          new CallPolicy(
              false,
              1,
              100,
              86_400_000,
              EnumSet.allOf(RetryOn.class),
              Optional.of(new FunctionName("alarm")));
      calls.serve(
          route("f", policy),
          route("alarm", CallPolicy.DEFAULT),
          route("back", CallPolicy.DEFAULT));
      return calls;
    }

    private void work(PlayedCalls calls) {
      for (int i = 0; i < 60 && !disk.isOff(); i++) {
        Promised next =
            new Promised(
                Kind.values()[random.nextInt(Kind.values().length)],
                Callback.values()[random.nextInt(Callback.values().length)]);
        MultiMap options = MultiMap.caseInsensitiveMultiMap();
        switch (next.callback()) {
          case NONE -> {}
          case FUNCTION -> options.set("X-tinyFaaS-Callback", "back");
          case TOPIC -> options.set("X-tinyFaaS-Callback", "mqtt:callbacks/back");
        }
        String body = next.kind().name() + " ".repeat(random.nextInt(3_000));
        calls
            .startAccept("f", body, options)
            .thenAccept(
                acceptance -> {
                  if (acceptance instanceof Accepted(CallId id)) {
                    promised.put(id, next);
                  }
                });
        if (random.nextInt(4) == 0) {
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(20)));
          look(calls);
        }
        List<CallId> known = List.copyOf(promised.keySet()); // to which others are added meanwhile
        if (random.nextInt(10) == 0 && !known.isEmpty()) {
          remove(calls, known.get(random.nextInt(known.size())));
        }
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(300)));
      look(calls);
    }

    private void look(PlayedCalls calls) {
      List<String> seen = new ArrayList<>();
      for (CallId id : promised.keySet()) {
        if (calls.find(id).filter(call -> call.state() == CallState.DONE).isPresent()) {
          seen.add(id.value());
        }
      }
      if (!disk.isOff()) {
        done.addAll(seen);
      }
    }

    private void remove(PlayedCalls calls, CallId id) {
      if (calls.remove(id) != Removal.UNKNOWN) {
        removed.add(id.value());
      }
    }

    /** On the loop; what it does when the power is off, nobody has done. */
    private Future<InvocationResult> function(Invocation invocation) {
      if (disk.isOff()) {
        return Promise.<InvocationResult>promise().future();
      }
      String of = invocation.headers().get(HandlerHttp.RESULT_OF_HEADER);
      switch (invocation.function()) {
        case "back" -> calledBack.add(of);
        case "alarm" -> alarmed.add(of);
        default -> {
          ran.add(callOf(invocation));
          if (done.contains(callOf(invocation))) {
            ranAgain.add(callOf(invocation));
          }
          return outcome(invocation);
        }
      }
      return Future.succeededFuture(answer(200, ""));
    }

    /**
     * As {@link #function}. What is published of a call says that it has ended: it does not run any
     * more.
     */
    private Future<Void> publish(Message message) {
      if (disk.isOff()) {
        return Promise.<Void>promise().future();
      }
      String id = message.properties().getFirst().getValue();
      published.add(id);
      done.add(id);
      return Future.succeededFuture();
    }

    private static Future<InvocationResult> outcome(Invocation invocation) {
      Kind kind = Kind.valueOf(new String(invocation.body(), StandardCharsets.UTF_8).strip());
      boolean isFirst = invocation.headers().get(HandlerHttp.ATTEMPT_HEADER).equals("1");
      return switch (kind) {
        case DOES -> Future.succeededFuture(answer(200, "x".repeat(500)));
        case DOES_LATER -> {
          Promise<InvocationResult> later = Promise.promise();
          Vertx.currentContext().owner().setTimer(15, time -> later.complete(answer(200, "x")));
          yield later.future();
        }
        case DOES_THE_SECOND_TIME -> Future.succeededFuture(answer(isFirst ? 503 : 200, "x"));
        case REFUSES -> Future.succeededFuture(answer(400, "x"));
        case NEVER_DOES -> Future.succeededFuture(answer(500, "x"));
      };
    }

    private void checkAll(PlayedCalls calls) {
      promised.forEach(
          (id, what) -> {
            if (!removed.contains(id.value())) {
              check(calls, id, what);
            }
          });
      assertThat(ranAgain).as("done, and run again").isEmpty();
      eventually().untilAsserted(() -> assertThat(calls.held()).isZero());
    }

    private void check(PlayedCalls calls, CallId id, Promised what) {
      assertThat(calls.find(id)).as("%s %s", id, what).isPresent();
      CallState expected = what.kind().isDone() ? CallState.DONE : CallState.FAILED;
      eventually()
          .untilAsserted(
              () ->
                  assertThat(calls.find(id).map(CallDescription::state))
                      .as("%s", calls.find(id))
                      .hasValue(expected));
      assertThat(ran).as("%s %s", id, what).contains(id.value());
      switch (what.callback()) {
        case NONE -> {}
        case FUNCTION ->
            eventually().untilAsserted(() -> assertThat(calledBack).contains(id.value()));
        case TOPIC -> eventually().untilAsserted(() -> assertThat(published).contains(id.value()));
      }
      if (expected == CallState.FAILED) {
        eventually().untilAsserted(() -> assertThat(alarmed).contains(id.value()));
      }
    }
  }
}
