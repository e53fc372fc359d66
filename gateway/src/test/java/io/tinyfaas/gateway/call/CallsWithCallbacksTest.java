package io.tinyfaas.gateway.call;

import static io.tinyfaas.gateway.call.PlayedCalls.answer;
import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.control.CallsRequest;
import io.tinyfaas.contract.control.CallsRequest.Action;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.gateway.call.Acceptance.Accepted;
import io.tinyfaas.gateway.call.Acceptance.NoCallback;
import io.tinyfaas.gateway.callback.PlayedCallbacks;
import io.tinyfaas.gateway.callback.PlayedPublisher;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.mqtt.Message;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What follows from calls to topics, on a real disk, with a broker that is played. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class CallsWithCallbacksTest {

  private static final MultiMap TO_TOPIC =
      MultiMap.caseInsensitiveMultiMap().set("X-tinyFaaS-Callback", "mqtt:callbacks/a");

  @TempDir Path folder;

  private final PlayedPublisher broker = new PlayedPublisher();

  private static Future<InvocationResult> function(Invocation invocation) {
    String body = new String(invocation.body(), StandardCharsets.UTF_8);
    InvocationResult.Answered answer =
        body.equals("bad") ? answer(422, "it is bad") : answer(200, "did " + body);
    answer.headers().set("Content-Type", "text/plain");
    return Future.succeededFuture(answer);
  }

  private PlayedCalls start() {
    return start(broker);
  }

  private PlayedCalls start(PlayedPublisher broker) {
    PlayedCalls calls =
        new PlayedCalls(
            folder, CallsWithCallbacksTest::function, 0, loop -> PlayedCallbacks.to(loop, broker));
    calls.serve("f");
    return calls;
  }

  private static CallId accept(PlayedCalls calls, String body) {
    return ((Accepted) calls.accept("f", body, TO_TOPIC)).id();
  }

  private static List<CallDescription> telling(PlayedCalls calls, CallState... states) {
    CallsRequest question =
        new CallsRequest(
            UUID.randomUUID(),
            Action.LIST,
            new FunctionName("f"),
            Set.of(states),
            Optional.empty(),
            100,
            Optional.empty());
    return calls.answer(question).calls().stream()
        .filter(call -> call.callback().isPresent())
        .toList();
  }

  private static void awaitDone(PlayedCalls calls, CallId id) {
    eventually()
        .untilAsserted(
            () -> assertThat(calls.find(id).map(CallDescription::state)).hasValue(CallState.DONE));
  }

  @Test
  void shouldPublishTheAnswer() {
    try (PlayedCalls calls = start()) {
      CallId id = accept(calls, "it");

      eventually().untilAsserted(() -> assertThat(broker.published()).hasSize(1));
      Message message = broker.published().getFirst();
      assertThat(message.topic()).isEqualTo("callbacks/a");
      assertThat(message.qos()).isEqualTo(1);
      assertThat(message.retain()).isFalse();
      assertThat(message.contentType()).isEqualTo("text/plain");
      assertThat(message.body()).asString().isEqualTo("did it");
      assertThat(message.properties())
          .containsExactly(
              Map.entry("call", id.value()),
              Map.entry("function", "f"),
              Map.entry("state", "done"),
              Map.entry("status", "200"));
      eventually()
          .untilAsserted(
              () ->
                  assertThat(telling(calls, CallState.DONE))
                      .singleElement()
                      .satisfies(
                          call -> {
                            assertThat(call.callback()).hasValue("mqtt:callbacks/a");
                            assertThat(call.status()).isEmpty();
                          }));
    }
  }

  @Test
  void shouldPublishWhyACallHasFailed() {
    try (PlayedCalls calls = start()) {
      CallId id = accept(calls, "bad");

      eventually().untilAsserted(() -> assertThat(broker.published()).hasSize(1));
      assertThat(broker.published().getFirst().body()).isEmpty();
      assertThat(broker.published().getFirst().properties())
          .containsExactly(
              Map.entry("call", id.value()),
              Map.entry("function", "f"),
              Map.entry("state", "failed"),
              Map.entry("status", "422"),
              Map.entry("reason", "status 422: it is bad"));
    }
  }

  @Test
  void shouldWaitForABrokerThatIsAwayAndHoldUpNobody() {
    broker.disconnect();
    try (PlayedCalls calls = start()) {
      awaitDone(calls, accept(calls, "one"));
      awaitDone(calls, accept(calls, "two"));
      eventually()
          .untilAsserted(
              () ->
                  assertThat(telling(calls, CallState.WAITING))
                      .hasSize(2)
                      .anySatisfy(call -> assertThat(call.reason().orElse("")).contains("is away"))
                      .allSatisfy(call -> assertThat(call.attempts()).isZero()));
    }
    PlayedPublisher later = new PlayedPublisher();
    later.disconnect();
    try (PlayedCalls calls = start(later)) {
      awaitDone(calls, accept(calls, "three"));
      assertThat(later.published()).isEmpty();
      calls.onLoop(
          () -> {
            later.connect();
            return true;
          });
      eventually()
          .untilAsserted(
              () ->
                  assertThat(later.published())
                      .extracting(message -> new String(message.body(), StandardCharsets.UTF_8))
                      .containsExactlyInAnyOrder("did one", "did two", "did three"));
      eventually().untilAsserted(() -> assertThat(calls.held()).isZero());
    }
  }

  @Test
  void shouldTryAgainWhatTheBrokerDoesNotTake() {
    broker.does(message -> Future.failedFuture("quota exceeded"));
    try (PlayedCalls calls = start()) {
      awaitDone(calls, accept(calls, "it"));
      eventually()
          .untilAsserted(
              () ->
                  assertThat(telling(calls, CallState.WAITING))
                      .singleElement()
                      .satisfies(
                          call -> {
                            assertThat(call.attempts()).isPositive();
                            assertThat(call.reason().orElse("")).contains("quota exceeded");
                          }));
      broker.does(message -> Future.succeededFuture());

      eventually().untilAsserted(() -> assertThat(broker.published()).hasSize(1));
      eventually().untilAsserted(() -> assertThat(telling(calls, CallState.DONE)).hasSize(1));
    }
  }

  @Test
  void shouldKeepAsFailedWhatNobodyCanBeToldAndTellItOnceSomebodyCan() {
    broker.disconnect();
    try (PlayedCalls calls = start()) {
      awaitDone(calls, accept(calls, "it"));
    }
    try (PlayedCalls without = new PlayedCalls(folder, CallsWithCallbacksTest::function)) {
      without.serve("f");
      eventually()
          .untilAsserted(
              () ->
                  assertThat(telling(without, CallState.FAILED))
                      .singleElement()
                      .satisfies(
                          call -> assertThat(call.reason().orElse("")).contains("no broker")));
    }
    PlayedPublisher again = new PlayedPublisher();
    try (PlayedCalls calls = start(again)) {
      calls.answer(
          new CallsRequest(
              UUID.randomUUID(),
              Action.REDRIVE,
              new FunctionName("f"),
              Set.of(CallState.FAILED),
              Optional.empty(),
              100,
              Optional.empty()));
      eventually().untilAsserted(() -> assertThat(again.published()).hasSize(1));
    }
  }

  @Test
  void shouldRefuseACallOfWhichNobodyWouldHear() {
    try (PlayedCalls without = new PlayedCalls(folder, CallsWithCallbacksTest::function)) {
      without.serve("f");
      assertThat(without.accept("f", "it", TO_TOPIC))
          .isInstanceOfSatisfying(
              NoCallback.class, none -> assertThat(none.why()).contains("no broker"));
      for (String to : List.of("gone", "http://127.0.0.1/", "https://192.168.0.1/hook")) {
        MultiMap options = MultiMap.caseInsensitiveMultiMap().set("X-tinyFaaS-Callback", to);
        assertThat(without.accept("f", "it", options)).as(to).isInstanceOf(NoCallback.class);
      }
      assertThat(without.events("accepted")).isZero();
    }
  }
}
