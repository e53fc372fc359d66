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
import io.tinyfaas.manager.call.GatewayQuestions.Unanswered;
import io.tinyfaas.manager.problem.ProblemException;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;
import org.jboss.logging.Logger;

/** Asks the gateway, which has them, for the calls of a function. */
@ApplicationScoped
public class GatewayCalls {

  private static final Logger LOG = Logger.getLogger(GatewayCalls.class);

  private static final int RETRY_AFTER_SECONDS = 1;

  /** A million calls: of what comes in faster than it is done with, no end is to be waited for. */
  private static final int MAX_PAGES = 1_000;

  private static final Set<CallState> FAILED = Set.of(CallState.FAILED);

  private final GatewayQuestions<CallsReply> questions;
  private final Duration timeout;

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
    this.questions = new GatewayQuestions<>(channel);
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
    CallsReply reply;
    try {
      reply = questions.ask(request.id(), ControlMessages.encode(request), timeout);
    } catch (Unanswered e) {
      throw switch (e.reason()) {
        case TOO_MANY ->
            ProblemException.busy(
                "The gateway is asked "
                    + GatewayQuestions.MAX
                    + " questions about calls at this moment, as many as it may be: try again.",
                RETRY_AFTER_SECONDS);
        case STOPPING -> unavailable(request, "The manager is stopping.");
        case BROKER_AWAY -> unavailable(request, "The broker does not take messages.");
        case TIME_UP ->
            unavailable(
                request, "The gateway has not answered within " + timeout.toSeconds() + " s.");
      };
    }
    if (reply.problem().isPresent()) {
      throw unavailable(request, "The gateway could not do it: " + reply.problem().get() + ".");
    }
    return reply;
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
      questions.answered(reply.id(), reply);
    } catch (IOException e) {
      LOG.warnf("event=calls-reply-refused reason=\"%s\"", e.getMessage());
    }
  }
}
