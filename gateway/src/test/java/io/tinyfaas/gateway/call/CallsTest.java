package io.tinyfaas.gateway.call;

import static io.tinyfaas.gateway.call.PlayedCalls.answer;
import static io.tinyfaas.gateway.call.PlayedCalls.callOf;
import static io.tinyfaas.gateway.call.PlayedCalls.route;
import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.control.CallsRequest;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.RetryOn;
import io.tinyfaas.gateway.call.Acceptance.Accepted;
import io.tinyfaas.gateway.call.Acceptance.NotStored;
import io.tinyfaas.gateway.call.Acceptance.TooMany;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.InvocationResult.NoHandler;
import io.tinyfaas.gateway.journal.Batch;
import io.tinyfaas.gateway.journal.Journal;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Calls on a real disk, with functions that are played. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class CallsTest {

  private static final long YEARS = 56L * 365 * 86_400_000;

  @TempDir Path folder;

  private final List<Invocation> heard = new CopyOnWriteArrayList<>();
  private final List<Promise<InvocationResult>> held = new CopyOnWriteArrayList<>();

  private Future<InvocationResult> done(Invocation invocation) {
    heard.add(invocation);
    return Future.succeededFuture(answer(200, "did it"));
  }

  private Future<InvocationResult> hold(Invocation invocation) {
    heard.add(invocation);
    Promise<InvocationResult> promise = Promise.promise();
    held.add(promise);
    return promise.future();
  }

  private Future<InvocationResult> nobody(Invocation invocation) {
    heard.add(invocation);
    return Future.succeededFuture(new NoHandler());
  }

  private static CallPolicy policy(int retries, String onFailure) {
    return new CallPolicy(
        false,
        retries,
        100,
        86_400_000,
        EnumSet.allOf(RetryOn.class),
        Optional.ofNullable(onFailure).map(FunctionName::new));
  }

  private static MultiMap option(String name, String value) {
    return MultiMap.caseInsensitiveMultiMap().set(name, value);
  }

  private static CallState state(PlayedCalls calls, CallId id) {
    return calls.find(id).map(CallDescription::state).orElseThrow();
  }

  private static void awaitState(PlayedCalls calls, CallId id, CallState state) {
    eventually().untilAsserted(() -> assertThat(state(calls, id)).isEqualTo(state));
  }

  @Test
  void shouldGiveBackAllMemoryOnce() {
    try (PlayedCalls calls = new PlayedCalls(folder, this::hold)) {
      calls.serve("f");
      List<CallId> ids = new CopyOnWriteArrayList<>();
      for (int i = 0; i < 52; i++) {
        ids.add(calls.accepted("f", "x".repeat(1_000)));
      }
      eventually().until(() -> held.size() >= 49);
      ids.subList(40, 52).forEach(calls::remove);
      held.forEach(promise -> calls.onLoop(() -> promise.tryComplete(answer(200, ""))));
      ids.subList(0, 40).forEach(id -> awaitState(calls, id, CallState.DONE));

      eventually().until(() -> calls.held() == 0);
    }
  }

  @Test
  void shouldTellTheEndWhenItIsOnDisk() throws InterruptedException {
    try (PlayedCalls calls = new PlayedCalls(folder, this::hold)) {
      calls.serve("f");
      CallId id = calls.accepted("f", "x");
      eventually().until(() -> held.size() == 1);
      CallState atOnce =
          calls.onLoop(
              () -> {
                held.getFirst().complete(answer(200, "did it"));
                return calls.calls().find(id).orElseThrow().state();
              });

      assertThat(atOnce).isEqualTo(CallState.RUNNING);
      awaitState(calls, id, CallState.DONE);
      assertThat(calls.result(id)).isPresent();
    }
  }

  @Test
  void shouldForgetWhatIsBeingRead() {
    try (PlayedCalls calls = new PlayedCalls(folder, this::nobody)) {
      calls.serve(route("f", policy(0, "alarm")), route("alarm", CallPolicy.DEFAULT));
      for (int i = 0; i < 52; i++) {
        CallId id = calls.accepted("f", "x");
        calls.onLoop(
            () -> {
              calls.calls().onTableApplied();
              return null;
            });
        calls.remove(id);
      }
    }
    heard.clear();

    try (PlayedCalls calls = new PlayedCalls(folder, this::done)) {
      calls.serve(route("f", policy(0, "alarm")), route("alarm", CallPolicy.DEFAULT));
      CallId last = calls.accepted("f", "last");
      awaitState(calls, last, CallState.DONE);

      assertThat(heard).extracting(PlayedCalls::callOf).containsExactly(last.value());
    }
  }

  @Test
  void shouldKeepTheResultWhenTheClockIsSet() {
    try (PlayedCalls calls = new PlayedCalls(folder, this::done)) {
      calls.serve("f");
      CallId id = calls.accepted("f", "x");
      awaitState(calls, id, CallState.DONE);
      calls.setClock(YEARS);
      eventually()
          .until(
              () ->
                  calls.find(id).orElseThrow().acceptedAt().isAfter(Instant.now().plusSeconds(60)));

      assertThat(calls.result(id)).isPresent();
    }
    try (PlayedCalls calls = new PlayedCalls(folder, this::done, YEARS)) {
      calls.serve("f");
      assertThat(calls.accept("f", "y")).isInstanceOf(Accepted.class);
    }
  }

  /** A box without a battery, that begins in 1970 and finds a time server later. */
  @Test
  void shouldRunWhatWasAcceptedBeforeTheClockWasLost() {
    CallId waits;
    try (PlayedCalls calls = new PlayedCalls(folder, this::nobody)) {
      calls.serve("f");
      waits = calls.accepted("f", "x");
    }
    try (PlayedCalls calls = new PlayedCalls(folder, this::nobody, -YEARS)) {
      calls.serve("f");
      eventually().until(() -> heard.size() > 2);
      CallId second = calls.accepted("f", "y");
      calls.setClock(YEARS);
      eventually()
          .until(
              () ->
                  calls
                      .find(second)
                      .orElseThrow()
                      .acceptedAt()
                      .isAfter(Instant.now().minusSeconds(600)));
      assertThat(calls.find(waits).orElseThrow().acceptedAt())
          .isBetween(Instant.now().minusSeconds(600), Instant.now().plusSeconds(60));
    }
    try (PlayedCalls calls = new PlayedCalls(folder, this::done)) {
      calls.serve("f");
      awaitState(calls, waits, CallState.DONE);
    }
  }

  /** Until then nobody knows how old a call of the function may be. */
  @Test
  void shouldWaitForTheRouteTable() {
    CallId id;
    try (PlayedCalls calls = new PlayedCalls(folder, this::done)) {
      id = calls.accepted("f", "x");
    }
    long days = Duration.ofDays(2).toMillis();
    try (PlayedCalls calls = new PlayedCalls(folder, this::done, days)) {
      eventually()
          .untilAsserted(
              () ->
                  assertThat(calls.find(id).flatMap(CallDescription::reason))
                      .hasValue("the gateway does not know its functions yet"));
      assertThat(heard).isEmpty();
      calls.serve(
          route(
              "f",
              new CallPolicy(
                  false, 0, 100, 10 * days, EnumSet.allOf(RetryOn.class), Optional.empty())));
      awaitState(calls, id, CallState.DONE);
    }
  }

  @Test
  void shouldNotRunAgainWhatIsDone() {
    CallId id;
    try (PlayedCalls calls = new PlayedCalls(folder, this::done)) {
      calls.serve("f");
      id = calls.accepted("f", "x");
      awaitState(calls, id, CallState.DONE);
    }
    try (PlayedCalls calls = new PlayedCalls(folder, this::done)) {
      calls.serve("f");
      CallId next = calls.accepted("f", "y");
      awaitState(calls, next, CallState.DONE);
      assertThat(state(calls, id)).isEqualTo(CallState.DONE);
      assertThat(calls.events("done")).isEqualTo(1);
      assertThat(calls.events("failed")).isZero();
      assertThat(calls.result(id).orElseThrow().body()).asString().isEqualTo("did it");
    }
    assertThat(heard).hasSize(2);
  }

  @Test
  void shouldDescribeWhateverAFunctionAnswers() {
    String strange = "a\u0085b\u2028" + "\ud83d\ude00".repeat(200);
    try (PlayedCalls calls =
        new PlayedCalls(folder, call -> Future.succeededFuture(answer(400, strange)))) {
      calls.serve("f");
      CallId id = calls.accepted("f", "x");

      awaitState(calls, id, CallState.FAILED);
      assertThat(calls.find(id).orElseThrow().reason().orElseThrow()).startsWith("status 400: a b");
    }
  }

  @Test
  void shouldKnowARequestThatComesAgainWhileItIsWritten() {
    try (PlayedCalls calls = new PlayedCalls(folder, this::done)) {
      calls.serve("f");
      MultiMap key = option("Idempotency-Key", "k");
      CompletableFuture<Acceptance> first = calls.startAccept("f", "x", key);
      CompletableFuture<Acceptance> second = calls.startAccept("f", "x", key);

      assertThat(first.join()).isEqualTo(second.join()).isInstanceOf(Accepted.class);
      awaitState(calls, ((Accepted) first.join()).id(), CallState.DONE);
      assertThat(heard).hasSize(1);
    }
  }

  @Test
  void shouldEndWhatAWatcherCannotTake() {
    try (PlayedCalls calls = new PlayedCalls(folder, this::hold)) {
      calls.serve("f");
      for (int i = 0; i < 52; i++) {
        CallId id = calls.accepted("f", "x");
        int before = i;
        eventually().until(() -> held.size() > before);
        assertThat(
                calls.onLoop(
                    () ->
                        calls
                            .calls()
                            .watch(
                                id,
                                () -> {
                                  throw new IllegalStateException("a bug");
                                })))
            .isTrue();
        calls.onLoop(() -> held.getLast().tryComplete(answer(200, "")));
        awaitState(calls, id, CallState.DONE);
      }
    }
  }

  @Test
  void shouldEndWhatTheInvokerCannotTake() {
    AtomicInteger asked = new AtomicInteger();
    try (PlayedCalls calls =
        new PlayedCalls(
            folder,
            call -> {
              asked.incrementAndGet();
              throw new IllegalStateException("a bug");
            })) {
      calls.serve("f");
      for (int i = 0; i < 52; i++) {
        awaitState(calls, calls.accepted("f", "x"), CallState.FAILED);
      }
      assertThat(asked).hasValue(52);
    }
  }

  @Test
  void shouldCallOffWhatRuns() {
    try (PlayedCalls calls = new PlayedCalls(folder, this::hold)) {
      calls.serve("f");
      for (int i = 0; i < 52; i++) {
        CallId id = calls.accepted("f", "x");
        int before = i;
        eventually().until(() -> held.size() > before);
        assertThat(calls.remove(id)).isEqualTo(Removal.DONE);
        assertThat(calls.find(id)).isEmpty();
      }
      eventually().until(() -> calls.held() == 0);
    }
    heard.clear();
    try (PlayedCalls calls = new PlayedCalls(folder, this::done)) {
      calls.serve("f");
      awaitState(calls, calls.accepted("f", "y"), CallState.DONE);
      assertThat(heard).hasSize(1);
    }
  }

  @Test
  void shouldTakeNoMoreThanItHasRoomFor() {
    try (PlayedCalls calls = new PlayedCalls(folder, this::nobody)) {
      calls.serve("f", "g");
      int accepted = 0;
      while (calls.accept("f", "x".repeat(10_000)) instanceof Accepted) {
        accepted++;
      }
      assertThat(accepted).isBetween(200, 400); // three quarters of 4 MiB
      assertThat(calls.accept("g", "x")).isInstanceOf(Accepted.class);
      assertThat(calls.accept("f", "x")).isInstanceOf(TooMany.class);
      eventually().until(() -> calls.held() < 200_000);
    }
  }

  @Test
  void shouldForgetTheOldestResultsForNewCalls() {
    try (PlayedCalls calls = new PlayedCalls(folder, this::done)) {
      calls.serve("f");
      CallId first = calls.accepted("f", "x");
      awaitState(calls, first, CallState.DONE);
      CallId last = first;
      for (int i = 0; i < 1_200; i++) {
        last = calls.accepted("f", "x");
      }
      awaitState(calls, last, CallState.DONE);
      assertThat(calls.find(first)).isEmpty();
    }
  }

  @Test
  void shouldForgetNoResultForWhatItCannotTake() {
    try (PlayedCalls calls =
        new PlayedCalls(
            folder,
            call ->
                Future.succeededFuture(
                    call.function().equals("g") ? answer(200, "") : new NoHandler()))) {
      calls.serve("f", "g");
      List<CallId> results = new CopyOnWriteArrayList<>();
      for (int i = 0; i < 400; i++) {
        results.add(calls.accepted("g", "x"));
      }
      results.forEach(id -> awaitState(calls, id, CallState.DONE));
      int left = 2_000;
      while (calls.accept("f", "x") instanceof Accepted && left > 0) {
        left--;
      }
      long before = results.stream().filter(id -> calls.find(id).isPresent()).count();
      assertThat(before).isBetween(100L, 300L);

      for (int i = 0; i < 50; i++) {
        assertThat(calls.accept("f", "x")).isInstanceOf(TooMany.class);
      }
      assertThat(results.stream().filter(id -> calls.find(id).isPresent())).hasSize((int) before);
    }
  }

  @Test
  void shouldKeepACallOfWhichTheStateIsDamaged() throws IOException {
    CallId id;
    try (PlayedCalls calls = new PlayedCalls(folder, this::nobody)) {
      calls.serve("f");
      id = calls.accepted("f", "x");
    }
    loseStates();

    try (PlayedCalls calls = new PlayedCalls(folder, this::done)) {
      calls.serve("f");
      assertThat(calls.find(id)).isEmpty();
      List<CallDescription> failed = failed(calls);
      assertThat(failed).hasSize(1);
      assertThat(failed.getFirst().reason().orElseThrow()).contains("damaged");
    }
    try (PlayedCalls calls = new PlayedCalls(folder, this::done)) {
      calls.serve("f");
      assertThat(failed(calls)).hasSize(1);
    }
  }

  private static List<CallDescription> failed(PlayedCalls calls) {
    CallsRequest request =
        new CallsRequest(
            UUID.randomUUID(),
            CallsRequest.Action.LIST,
            new FunctionName("f"),
            EnumSet.of(CallState.FAILED),
            Optional.empty(),
            10,
            Optional.empty());
    return calls.answer(request).calls();
  }

  private void loseStates() throws IOException {
    Batch states = new Batch();
    try (Journal journal =
        Journal.open(
            folder,
            8 << 20,
            (key, value) -> {
              if (key % 2 == 0) {
                states.remove(key);
              }
            })) {
      journal.write(states).join();
    }
  }

  /** What an older gateway cannot read, the newer one finds again. */
  @Test
  void shouldLeaveCallsOfALaterVersionAlone() throws IOException {
    byte[] later = {9, 9, 9};
    try (Journal journal = Journal.open(folder, 8 << 20, (key, value) -> {})) {
      journal.write(new Batch().put(20, later).put(21, later)).join();
    }
    try (PlayedCalls calls = new PlayedCalls(folder, this::done)) {
      calls.serve("f");
      awaitState(calls, calls.accepted("f", "x"), CallState.DONE);
    }
    List<Long> keys = new CopyOnWriteArrayList<>();
    try (Journal journal = Journal.open(folder, 8 << 20, (key, value) -> keys.add(key))) {
      assertThat(keys).contains(20L, 21L);
      assertThat(journal.damaged()).isZero();
    }
  }

  @Test
  void shouldFollowUpOnce() {
    try (PlayedCalls calls =
        new PlayedCalls(
            folder,
            call -> {
              heard.add(call);
              return Future.succeededFuture(answer(call.function().equals("f") ? 400 : 200, "no"));
            })) {
      calls.serve(
          route("f", policy(0, "alarm")),
          route("alarm", CallPolicy.DEFAULT),
          route("back", CallPolicy.DEFAULT));
      Acceptance accepted = calls.accept("f", "x", option("X-tinyFaaS-Callback", "back"));
      CallId id = ((Accepted) accepted).id();
      awaitState(calls, id, CallState.FAILED);
      eventually().until(() -> heard.size() == 3);

      assertThat(heard)
          .extracting(Invocation::function)
          .containsExactlyInAnyOrder("f", "alarm", "back");
      assertThat(heard.subList(1, 3))
          .allMatch(call -> call.headers().get(HandlerHttp.RESULT_OF_HEADER).equals(id.value()))
          .allMatch(call -> call.headers().get(HandlerHttp.RESULT_STATE_HEADER).equals("failed"));
    }
  }

  @Test
  void shouldServeWithoutAFolderThatCanBeWritten() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    try (PlayedCalls calls = new PlayedCalls(file, this::done)) {
      calls.serve("f");
      assertThat(calls.accept("f", "x")).isInstanceOf(NotStored.class);
    }
  }

  @Test
  void shouldLeaveTheFolderToWhoWasFirst() {
    try (PlayedCalls first = new PlayedCalls(folder, this::done);
        PlayedCalls second = new PlayedCalls(folder, this::done)) {
      first.serve("f");
      second.serve("f");
      assertThat(second.accept("f", "x")).isInstanceOf(NotStored.class);
      awaitState(first, first.accepted("f", "x"), CallState.DONE);
    }
  }

  @Test
  void shouldCountItsAgeFromWhenItMayRun() {
    try (PlayedCalls calls = new PlayedCalls(folder, this::done)) {
      calls.serve("f");
      Acceptance accepted = calls.accept("f", "x", option("X-tinyFaaS-Delay", "2d"));
      CallId id = ((Accepted) accepted).id();
      CallDescription call = calls.find(id).orElseThrow();
      assertThat(Duration.between(call.acceptedAt(), call.nextAttemptAt().orElseThrow()))
          .isEqualTo(Duration.ofDays(2));
      assertThat(call.state()).isEqualTo(CallState.WAITING);
    }
  }

  /** What would run after its stop could not be written any more. */
  @Test
  void shouldBeginNoneOnceItHasStopped() {
    try (PlayedCalls calls = new PlayedCalls(folder, this::nobody)) {
      calls.serve("f");
      for (int i = 0; i < 100; i++) {
        calls.accepted("f", "x".repeat(10_000));
      }
    }
    for (int life = 0; life < 10; life++) {
      int asked;
      try (PlayedCalls calls = new PlayedCalls(folder, this::nobody)) {
        calls.serve("f");
        calls.stop();
        asked = heard.size();
      }
      assertThat(heard).hasSize(asked);
    }
  }

  @Test
  void shouldNotRunWhatWasHeldWhenTheGatewayStopped() {
    CallId id;
    try (PlayedCalls calls = new PlayedCalls(folder, this::hold)) {
      calls.serve("f");
      id = calls.accepted("f", "x");
      eventually().until(() -> held.size() == 1);
      calls.stop();
      calls.onLoop(() -> held.getFirst().tryComplete(new InvocationResult.Stopping()));
      assertThat(state(calls, id)).isEqualTo(CallState.WAITING);
    }
    try (PlayedCalls calls = new PlayedCalls(folder, this::done)) {
      calls.serve("f");
      awaitState(calls, id, CallState.DONE);
      assertThat(calls.find(id).orElseThrow().attempts()).isEqualTo(1);
      assertThat(callOf(heard.getLast())).isEqualTo(id.value());
    }
  }
}
