package io.tinyfaas.manager.call;

import io.smallrye.reactive.messaging.annotations.Blocking;
import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.control.ScheduleStatus;
import io.tinyfaas.contract.control.SchedulesReply;
import io.tinyfaas.contract.control.SchedulesRequest;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.call.GatewayQuestions.Unanswered;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;
import org.jboss.logging.Logger;

/**
 * Asks the gateway how it is with a function's schedules. Who wants to see a function sees it
 * without, if there is no answer soon.
 */
@ApplicationScoped
public class GatewaySchedules {

  private static final Logger LOG = Logger.getLogger(GatewaySchedules.class);

  private static final Duration TIMEOUT = Duration.ofSeconds(1);

  private final GatewayQuestions<SchedulesReply> questions;

  GatewaySchedules(
      @Channel("schedules-requests") @OnOverflow(OnOverflow.Strategy.UNBOUNDED_BUFFER)
          Emitter<byte[]> channel) {
    this.questions = new GatewayQuestions<>(channel);
  }

  /** Empty if the gateway does not say it. */
  public List<ScheduleStatus> of(FunctionName function) {
    SchedulesRequest request = new SchedulesRequest(UUID.randomUUID(), function);
    try {
      return questions.ask(request.id(), ControlMessages.encode(request), TIMEOUT).schedules();
    } catch (Unanswered e) {
      LOG.debugf("event=schedules-unknown function=%s reason=%s", function, e.reason());
      return List.of();
    }
  }

  @Incoming("schedules-replies")
  @Blocking(ordered = false)
  void onReply(byte[] message) {
    try {
      SchedulesReply reply = ControlMessages.decodeSchedulesReply(message);
      questions.answered(reply.id(), reply);
    } catch (IOException e) {
      LOG.warnf("event=schedules-reply-refused reason=\"%s\"", e.getMessage());
    }
  }
}
