package io.tinyfaas.gateway.call;

import static io.tinyfaas.gateway.call.PlayedCalls.answer;
import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.gateway.call.Acceptance.Accepted;
import io.tinyfaas.gateway.call.Acceptance.NotStored;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.journal.PlayedDisk;
import io.tinyfaas.harness.Seed;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A disk that takes nothing for a while. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class CallsOnAFailingDiskTest {

  @RegisterExtension final Seed seed = new Seed();

  private final PlayedDisk disk = new PlayedDisk(seed.random());
  private final List<Invocation> heard = new CopyOnWriteArrayList<>();
  private final List<Invocation> calledBack = new CopyOnWriteArrayList<>();
  private final List<Promise<InvocationResult>> held = new CopyOnWriteArrayList<>();

  private Future<InvocationResult> function(Invocation invocation) {
    if (invocation.function().equals("back")) {
      calledBack.add(invocation);
      return Future.succeededFuture(answer(200, ""));
    }
    heard.add(invocation);
    Promise<InvocationResult> promise = Promise.promise();
    held.add(promise);
    return promise.future();
  }

  private PlayedCalls start() {
    PlayedCalls calls = new PlayedCalls(disk.folder(), this::function);
    calls.serve("f", "back");
    return calls;
  }

  private static CallId acceptWithCallback(PlayedCalls calls) {
    MultiMap callback = MultiMap.caseInsensitiveMultiMap().set("X-tinyFaaS-Callback", "back");
    return ((Accepted) calls.accept("f", "x", callback)).id();
  }

  private void fill(PlayedCalls calls) {
    disk.setCapacity(disk.used());
    for (int i = 0; i < 100; i++) {
      assertThat(calls.accept("f", "x")).isInstanceOf(NotStored.class);
    }
  }

  private void answerAll(PlayedCalls calls) {
    eventually().until(() -> !held.isEmpty());
    calls.onLoop(
        () -> held.stream().filter(promise -> promise.tryComplete(answer(200, "did it"))).count());
  }

  private static void awaitState(PlayedCalls calls, CallId id, CallState state) {
    eventually()
        .untilAsserted(
            () -> assertThat(calls.find(id).map(CallDescription::state)).hasValue(state));
  }

  @Test
  void shouldGoOnWhereItWasWhenThereIsRoomAgain() {
    try (PlayedCalls calls = start()) {
      CallId id = acceptWithCallback(calls);
      eventually().until(() -> held.size() == 1);
      fill(calls);
      answerAll(calls);
      for (int i = 0; i < 20; i++) {
        assertThat(calls.find(id).orElseThrow().state()).isEqualTo(CallState.RUNNING);
        assertThat(calls.accept("f", "x")).isInstanceOf(NotStored.class);
      }
      assertThat(calledBack).isEmpty();

      disk.setCapacity(Long.MAX_VALUE);
      awaitState(calls, id, CallState.DONE);
      eventually().until(() -> calledBack.size() == 1);
      assertThat(heard).hasSize(1);
      eventually().until(() -> calls.held() == 0);
      eventually().until(() -> calls.accept("f", "x") instanceof Accepted);
    }
  }

  /** What it has promised has room that is kept for it. */
  @Test
  void shouldEndWhatItHasAccepted() {
    CallId id;
    try (PlayedCalls calls = start()) {
      id = calls.accepted("f", "x");
      eventually().until(() -> held.size() == 1);
      fill(calls);
      answerAll(calls);
      awaitState(calls, id, CallState.DONE);
    }
    try (PlayedCalls calls = start()) {
      awaitState(calls, id, CallState.DONE);
      assertThat(heard).hasSize(1);
    }
  }

  @Test
  void shouldForgetWhatItCannotWrite() {
    CallId id;
    try (PlayedCalls calls = start()) {
      id = acceptWithCallback(calls);
      eventually().until(() -> held.size() == 1);
      fill(calls);
      answerAll(calls);
      assertThat(calls.remove(id)).isNotEqualTo(Removal.UNKNOWN);
      disk.setCapacity(Long.MAX_VALUE);
      eventually().until(() -> calls.accept("f", "y") instanceof Accepted);
      eventually().until(() -> heard.size() == 2);
      eventually().until(() -> calls.held() == 0);
    }
    try (PlayedCalls calls = start()) {
      eventually().until(() -> heard.size() == 3);
      assertThat(calls.find(id)).isEmpty();
      assertThat(calledBack).isEmpty();
    }
  }

  @Test
  void shouldBringBackNothingThatItHasSaidToBeForgotten() {
    for (int round = 0; round < 20; round++) {
      CallId id;
      try (PlayedCalls calls = start()) {
        id = acceptWithCallback(calls);
        assertThat(calls.remove(id)).isEqualTo(Removal.DONE);
        disk.cutAfter(0);
      }
      disk.restart();
      try (PlayedCalls calls = start()) {
        assertThat(calls.find(id)).as("round %d", round).isEmpty();
      }
    }
  }

  @Test
  void shouldLoseNoCallBecauseThePowerGoesWhileTheDiskIsFull() {
    CallId id;
    try (PlayedCalls calls = start()) {
      id = acceptWithCallback(calls);
      eventually().until(() -> held.size() == 1);
      fill(calls);
      answerAll(calls);
    }
    disk.restart();
    disk.setCapacity(Long.MAX_VALUE);
    held.clear();
    try (PlayedCalls calls = start()) {
      answerAll(calls);
      awaitState(calls, id, CallState.DONE);
      eventually().until(() -> calledBack.size() == 1);
      assertThat(heard).hasSize(2);
    }
  }
}
