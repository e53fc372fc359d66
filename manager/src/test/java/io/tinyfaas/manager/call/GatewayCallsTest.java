package io.tinyfaas.manager.call;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.control.CallsPlace;
import io.tinyfaas.contract.control.CallsReply;
import io.tinyfaas.contract.control.CallsRequest;
import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GatewayCallsTest {

  private static final FunctionName SIEVE = new FunctionName("sieve");
  private static final Set<CallState> FAILED = Set.of(CallState.FAILED);

  /** Of what is answered, or never is. */
  private static final Duration LONG = Duration.ofMinutes(1);

  private static final Duration SHORT = Duration.ofSeconds(1);

  /** The broker: keeps what is sent, and does with it what the test says. */
  private static final class Broker implements Emitter<byte[]> {

    private final List<CallsRequest> sent = new CopyOnWriteArrayList<>();
    private volatile Consumer<Message<?>> then = message -> message.ack();

    @Override
    public <M extends Message<? extends byte[]>> void send(M message) {
      try {
        sent.add(ControlMessages.decodeCallsRequest(message.getPayload()));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      then.accept(message);
    }

    @Override
    public CompletionStage<Void> send(byte[] message) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void complete() {}

    @Override
    public void error(Exception e) {}

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public boolean hasRequests() {
      return true;
    }
  }

  private final Broker broker = new Broker();

  private static CallsReply list(GatewayCalls calls) {
    return calls.list(SIEVE, FAILED, 10, Optional.empty());
  }

  private static ProblemException refusal(Runnable question) {
    return catchThrowableOfType(ProblemException.class, question::run);
  }

  private static void answer(GatewayCalls calls, CallsReply reply) {
    calls.onReply(ControlMessages.encode(reply));
  }

  private static CallsReply nothing(UUID id) {
    return CallsReply.listed(id, List.of(), Optional.empty());
  }

  @Test
  void shouldKnowAnAnswerByItsQuestion() throws Exception {
    GatewayCalls calls = new GatewayCalls(broker, LONG);
    try (ExecutorService operators = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<CallsReply> first = operators.submit(() -> list(calls));
      eventually().until(() -> broker.sent.size() == 1);
      Future<CallsReply> second = operators.submit(() -> list(calls));
      eventually().until(() -> broker.sent.size() == 2);

      answer(calls, nothing(UUID.randomUUID()));
      calls.onReply("no reply".getBytes());
      CallsPlace place = new CallsPlace("second");
      answer(calls, CallsReply.listed(broker.sent.get(1).id(), List.of(), Optional.of(place)));
      assertThat(second.get().next()).contains(place);
      assertThat(first.isDone()).isFalse();
      answer(calls, nothing(broker.sent.get(0).id()));
      assertThat(first.get().next()).isEmpty();
    }
  }

  @Test
  void shouldSayThatTheGatewayDoesNotAnswerAndDropWhatItSaysLater() {
    GatewayCalls calls = new GatewayCalls(broker, SHORT);

    ProblemException problem = refusal(() -> list(calls));

    assertThat(problem.type()).isEqualTo(ProblemType.GATEWAY_UNAVAILABLE);
    assertThat(problem)
        .hasMessageContaining("within 1 s")
        .hasMessageContaining("docker compose ps");
    answer(calls, nothing(broker.sent.getFirst().id()));
    broker.then = message -> answer(calls, nothing(broker.sent.getLast().id()));
    assertThat(list(calls)).isEqualTo(nothing(broker.sent.getLast().id()));
  }

  @Test
  void shouldSayAtOnceThatTheBrokerTakesNothing() {
    GatewayCalls calls = new GatewayCalls(broker, LONG);
    broker.then = message -> message.nack(new IOException("not connected"));

    ProblemException problem = refusal(() -> calls.remove(SIEVE, Optional.empty()));

    assertThat(problem.type()).isEqualTo(ProblemType.GATEWAY_UNAVAILABLE);
    assertThat(problem)
        .hasMessageContaining("The broker does not take messages.")
        .hasMessageContaining("GET /functions/sieve/failed");
  }

  @Test
  void shouldPassOnWhyTheGatewayCouldNot() {
    GatewayCalls calls = new GatewayCalls(broker, LONG);
    broker.then =
        message ->
            answer(calls, CallsReply.problem(broker.sent.getLast().id(), "the disk is full"));

    ProblemException problem = refusal(() -> calls.redrive(SIEVE, Optional.empty()));

    assertThat(problem.type()).isEqualTo(ProblemType.GATEWAY_UNAVAILABLE);
    assertThat(problem).hasMessageContaining("the disk is full");
  }

  @Test
  void shouldAskForPagesUntilThereIsNoMore() {
    GatewayCalls calls = new GatewayCalls(broker, LONG);
    CallsPlace place = new CallsPlace("p");
    broker.then =
        message -> {
          CallsRequest question = broker.sent.getLast();
          answer(
              calls,
              question.after().isEmpty()
                  ? CallsReply.changed(question.id(), 1000, Optional.of(place))
                  : CallsReply.changed(question.id(), 1, Optional.empty()));
        };
    CallId call = new CallId("A".repeat(22));

    assertThat(calls.redrive(SIEVE, Optional.of(call))).isEqualTo(1001);

    assertThat(broker.sent)
        .hasSize(2)
        .allSatisfy(
            question -> {
              assertThat(question.call()).contains(call);
              assertThat(question.states()).isEqualTo(FAILED);
              assertThat(question.limit()).isEqualTo(CallsRequest.MAX_LIMIT);
            });
  }

  /** A gateway that always has more, or calls that fail as fast as they begin anew. */
  @Test
  void shouldEndWhereTheGatewayFindsNoEnd() {
    GatewayCalls calls = new GatewayCalls(broker, LONG);
    broker.then =
        message ->
            answer(
                calls,
                CallsReply.changed(
                    broker.sent.getLast().id(), 1, Optional.of(new CallsPlace("p"))));

    assertThat(calls.remove(SIEVE, Optional.empty())).isEqualTo(1000);
  }

  @Test
  void shouldBoundTheQuestionsUnderWay() throws Exception {
    GatewayCalls calls = new GatewayCalls(broker, LONG);
    try (ExecutorService operators = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<CallsReply>> asked = new ArrayList<>();
      for (int i = 0; i < GatewayQuestions.MAX; i++) {
        asked.add(operators.submit(() -> list(calls)));
      }
      eventually().until(() -> broker.sent.size() == GatewayQuestions.MAX);

      ProblemException problem = refusal(() -> list(calls));

      assertThat(problem.type()).isEqualTo(ProblemType.TOO_MANY);
      assertThat(problem.retryAfter()).isPositive();
      broker.sent.forEach(question -> answer(calls, nothing(question.id())));
      for (Future<CallsReply> each : asked) {
        assertThat(each.get().calls()).isEmpty();
      }
    }
    broker.then = message -> answer(calls, nothing(broker.sent.getLast().id()));
    assertThat(list(calls).calls()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"PT0.999S", "PT61S"})
  void shouldRefuseATimeoutThatCannotBeMeant(String timeout) {
    assertThatThrownBy(() -> new GatewayCalls(broker, Duration.parse(timeout)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("TINYFAAS_CALLS_TIMEOUT");
  }
}
