package io.tinyfaas.manager.call;

import static io.tinyfaas.manager.problem.ProblemType.GATEWAY_UNAVAILABLE;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.reactive.messaging.annotations.Blocking;
import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.control.CallState;
import io.tinyfaas.contract.control.CallsPlace;
import io.tinyfaas.contract.control.CallsReply;
import io.tinyfaas.contract.control.CallsRequest;
import io.tinyfaas.contract.control.CallsRequest.Action;
import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.setting.SettingsCheck;
import io.tinyfaas.manager.problem.ProblemException;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;
import org.jboss.logging.Logger;

/**
 * Asks the gateway, which has them, for the calls of a function. A question goes out once, and its
 * answer is known by the question's id: what comes later than anybody waits for it is dropped.
 */
@ApplicationScoped
public class GatewayCalls {

  private static final Logger LOG = Logger.getLogger(GatewayCalls.class);

  /** An answer may have a megabyte, and there are operators enough for few of them. */
  static final int MAX_QUESTIONS = 16;

  private static final int RETRY_AFTER_SECONDS = 1;

  /** A million calls: of what comes in faster than it is done with, no end is to be waited for. */
  private static final int MAX_PAGES = 1_000;

  private static final Set<CallState> FAILED = Set.of(CallState.FAILED);

  private final Emitter<byte[]> channel;
  private final Duration timeout;
  private final Semaphore places = new Semaphore(MAX_QUESTIONS);
  private final Map<UUID, CompletableFuture<CallsReply>> questions = new ConcurrentHashMap<>();

  /**
   * @param timeout how long an answer may take, from 1 s to 1 min
   */
  GatewayCalls(
      @Channel("calls-requests") @OnOverflow(OnOverflow.Strategy.UNBOUNDED_BUFFER)
          Emitter<byte[]> channel,
      @ConfigProperty(name = "tinyfaas.calls-timeout") Duration timeout) {
    new SettingsCheck()
        .time("TINYFAAS_CALLS_TIMEOUT", timeout, Duration.ofSeconds(1), Duration.ofMinutes(1))
        .orThrow(ConfigurationException::new);
    this.channel = channel;
    this.timeout = timeout;
  }

  /**
   * One page of the function's calls that are in one of these states, in the order in which they
   * were accepted.
   *
   * @param after where the page before ended
   * @throws ProblemException GATEWAY_UNAVAILABLE, TOO_MANY
   */
  public CallsReply list(
      FunctionName function, Set<CallState> states, int limit, Optional<CallsPlace> after) {
    return ask(request(Action.LIST, function, states, Optional.empty(), limit, after));
  }

  /**
   * Lets failed calls begin anew.
   *
   * @param call only this one
   * @return how many
   * @throws ProblemException as {@link #list}; a part of them may have begun anew
   */
  public int redrive(FunctionName function, Optional<CallId> call) {
    return change(Action.REDRIVE, function, call);
  }

  /**
   * Lets the gateway forget failed calls.
   *
   * @param call only this one
   * @return how many
   * @throws ProblemException as {@link #list}; a part of them may be forgotten
   */
  public int remove(FunctionName function, Optional<CallId> call) {
    return change(Action.REMOVE, function, call);
  }

  private int change(Action action, FunctionName function, Optional<CallId> call) {
    int count = 0;
    Optional<CallsPlace> after = Optional.empty();
    for (int page = 0; page < MAX_PAGES; page++) {
      CallsReply reply =
          ask(request(action, function, FAILED, call, CallsRequest.MAX_LIMIT, after));
      count += reply.count();
      after = reply.next();
      if (after.isEmpty()) {
        break;
      }
    }
    return count;
  }

  private static CallsRequest request(
      Action action,
      FunctionName function,
      Set<CallState> states,
      Optional<CallId> call,
      int limit,
      Optional<CallsPlace> after) {
    return new CallsRequest(UUID.randomUUID(), action, function, states, call, limit, after);
  }

  CallsReply ask(CallsRequest request) {
    if (!places.tryAcquire()) {
      throw ProblemException.busy(
          "The gateway is asked "
              + MAX_QUESTIONS
              + " questions about calls at this moment, as many as it may be: try again.",
          RETRY_AFTER_SECONDS);
    }
    CompletableFuture<CallsReply> answer = new CompletableFuture<>();
    questions.put(request.id(), answer);
    try {
      send(request, answer);
      CallsReply reply = answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
      reply
          .problem()
          .ifPresent(
              problem -> {
                throw unavailable(request, "The gateway could not do it: " + problem + ".");
              });
      return reply;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unavailable(request, "The manager is stopping.");
    } catch (ExecutionException e) {
      throw unavailable(request, "The broker does not take messages.");
    } catch (TimeoutException e) {
      throw unavailable(
          request, "The gateway has not answered within " + timeout.toSeconds() + " s.");
    } finally {
      questions.remove(request.id());
      places.release();
    }
  }

  private void send(CallsRequest request, CompletableFuture<CallsReply> answer) {
    channel.send(
        Message.of(
            ControlMessages.encode(request),
            () -> CompletableFuture.completedFuture(null),
            failure -> {
              answer.completeExceptionally(failure);
              return CompletableFuture.completedFuture(null);
            }));
  }

  private static ProblemException unavailable(CallsRequest request, String what) {
    String done =
        switch (request.action()) {
          case LIST -> "";
          case REDRIVE, REMOVE ->
              " A part may be done, or still be: GET /functions/"
                  + request.function()
                  + "/failed shows what is left.";
        };
    return ProblemException.of(
        GATEWAY_UNAVAILABLE, what + done + " Look at docker compose ps, then try again.");
  }

  @Incoming("calls-replies")
  @Blocking(ordered = false)
  void onReply(byte[] message) {
    try {
      CallsReply reply = ControlMessages.decodeCallsReply(message);
      CompletableFuture<CallsReply> question = questions.remove(reply.id());
      if (question != null) {
        question.complete(reply);
      }
    } catch (IOException e) {
      LOG.warnf("event=calls-reply-refused reason=\"%s\"", e.getMessage());
    }
  }
}
