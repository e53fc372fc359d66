package io.tinyfaas.manager.call;

import io.smallrye.reactive.messaging.annotations.Blocking;
import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.control.ScheduleStatus;
import io.tinyfaas.contract.control.SchedulesReply;
import io.tinyfaas.contract.control.SchedulesRequest;
import io.tinyfaas.contract.route.FunctionName;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;
import org.jboss.logging.Logger;

/**
 * Asks the gateway how it is with a function's schedules. Who wants to see a function sees it
 * without, if there is no answer soon.
 */
@ApplicationScoped
public class GatewaySchedules {

  private static final Logger LOG = Logger.getLogger(GatewaySchedules.class);

  /** As {@link GatewayCalls#MAX_QUESTIONS}. */
  private static final int MAX_QUESTIONS = GatewayCalls.MAX_QUESTIONS;

  private static final Duration TIMEOUT = Duration.ofSeconds(1);

  private final Emitter<byte[]> channel;
  private final Semaphore places = new Semaphore(MAX_QUESTIONS);
  private final Map<UUID, CompletableFuture<SchedulesReply>> questions = new ConcurrentHashMap<>();

  GatewaySchedules(
      @Channel("schedules-requests") @OnOverflow(OnOverflow.Strategy.UNBOUNDED_BUFFER)
          Emitter<byte[]> channel) {
    this.channel = channel;
  }

  /** Empty if the gateway does not say it. */
  public List<ScheduleStatus> of(FunctionName function) {
    if (!places.tryAcquire()) {
      return List.of();
    }
    SchedulesRequest request = new SchedulesRequest(UUID.randomUUID(), function);
    CompletableFuture<SchedulesReply> answer = new CompletableFuture<>();
    questions.put(request.id(), answer);
    try {
      channel.send(
          Message.of(
              ControlMessages.encode(request),
              () -> CompletableFuture.completedFuture(null),
              failure -> {
                answer.completeExceptionally(failure);
                return CompletableFuture.completedFuture(null);
              }));
      return answer.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS).schedules();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return List.of();
    } catch (ExecutionException | TimeoutException | IllegalStateException e) {
      LOG.debugf("event=schedules-unknown function=%s reason=\"%s\"", function, e);
      return List.of();
    } finally {
      questions.remove(request.id());
      places.release();
    }
  }

  @Incoming("schedules-replies")
  @Blocking(ordered = false)
  void onReply(byte[] message) {
    try {
      SchedulesReply reply = ControlMessages.decodeSchedulesReply(message);
      CompletableFuture<SchedulesReply> question = questions.remove(reply.id());
      if (question != null) {
        question.complete(reply);
      }
    } catch (IOException e) {
      LOG.warnf("event=schedules-reply-refused reason=\"%s\"", e.getMessage());
    }
  }
}
