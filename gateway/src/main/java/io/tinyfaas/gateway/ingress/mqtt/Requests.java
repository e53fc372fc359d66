package io.tinyfaas.gateway.ingress.mqtt;

import io.tinyfaas.contract.mqtt.MqttTrigger;
import io.tinyfaas.contract.mqtt.TopicFilter;
import io.tinyfaas.gateway.call.Acceptance;
import io.tinyfaas.gateway.call.CallOptions;
import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.ingress.mqtt.Receipt.Done;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult.BadRequest;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.loop.LoopTimers;
import io.tinyfaas.gateway.mqtt.Message;
import io.tinyfaas.gateway.mqtt.MessagePublisher;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import jakarta.inject.Singleton;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Messages to {@code functions/NAME} and what is below: requests, that are answered at their
 * Response Topic where they have one. On the invocation loop.
 */
@Singleton
final class Requests {

  private static final String PREFIX = MqttTrigger.REQUESTS + '/';

  private final Calls calls;
  private final Invoker invoker;
  private final LoopTimers timers;
  private final MessagePublisher publisher;

  Requests(Calls calls, Invoker invoker, LoopTimers timers, MessagePublisher publisher) {
    this.calls = calls;
    this.invoker = invoker;
    this.timers = timers;
    this.publisher = publisher;
  }

  /** Never fails. */
  Future<Receipt> receive(Publication request) {
    String target =
        request.topic().startsWith(PREFIX) ? request.topic().substring(PREFIX.length()) : "";
    int slash = target.indexOf('/');
    String function = slash < 0 ? target : target.substring(0, slash);
    if (function.isEmpty()) {
      return refused(Refusals.noFunction());
    }
    boolean answered = !request.responseTopic().isEmpty();
    if (answered && !mayBeAnswered(request, request.responseTopic())) {
      return refused(Refusals.responseTopic());
    }
    if (answered && !publisher.isConnected()) {
      return refused(Refusals.brokerAway());
    }
    Invocation invocation =
        Invocations.of(request, function, slash < 0 ? "" : target.substring(slash));
    MultiMap said = Invocations.toGateway(request);
    if (calls.isDurable(function) || CallOptions.isAsked(said) || !answered && request.qos() > 0) {
      return call(request, invocation, said);
    }
    return answered ? invoke(request, invocation) : run(invocation);
  }

  private static Future<Receipt> refused(Receipt.Refused why) {
    return Future.succeededFuture(why);
  }

  /**
   * Only where the device could write and read itself: else it had the gateway write what it likes
   * to others. What is below {@code functions} is not answered at, as results are there.
   */
  private static boolean mayBeAnswered(Publication request, String topic) {
    return TopicFilter.isTopic(topic)
        && !MqttTrigger.isRequest(topic)
        && request
            .device()
            .map(TopicRights::of)
            .filter(rights -> rights.mayPublish(topic) && rights.mayReceive(topic))
            .isPresent();
  }

  /** Nobody waits for it, and nobody hears whether it could be. */
  private Future<Receipt> run(Invocation invocation) {
    invoker.invoke(invocation);
    return Future.succeededFuture(new Done());
  }

  private Future<Receipt> invoke(Publication request, Invocation invocation) {
    Invoker.Running running = invoker.start(invocation);
    if (request.expirySeconds() != Publication.NEVER && !running.result().isComplete()) {
      LoopTimers.Timer expiry =
          timers.start(TimeUnit.SECONDS.toMillis(request.expirySeconds()), running::callOff);
      running.result().onComplete(ended -> expiry.cancel());
    }
    return running.result().compose(result -> publish(Answers.of(request, result)));
  }

  private Future<Receipt> call(Publication request, Invocation invocation, MultiMap said) {
    Future<Acceptance> accepted;
    try {
      accepted =
          calls.accept(invocation, CallOptions.of(said, topic -> mayBeAnswered(request, topic)));
    } catch (IllegalArgumentException e) {
      accepted = Future.succeededFuture(new Acceptance.Refused(new BadRequest(e.getMessage())));
    }
    return accepted.compose(
        acceptance ->
            request.responseTopic().isEmpty()
                ? Future.succeededFuture(Refusals.receipt(Optional.of(acceptance)))
                : publish(Answers.of(request, acceptance)));
  }

  /** Done once the broker has it: the device is told that it was taken after it can be answered. */
  private Future<Receipt> publish(Message answer) {
    return publisher
        .publish(answer)
        .<Receipt>map(published -> new Done())
        .otherwise(
            away ->
                Refusals.bad(
                    "the function was run, but its answer could not be published: "
                        + away.getMessage()));
  }
}
