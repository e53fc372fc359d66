package io.tinyfaas.gateway.callback;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.gateway.callback.Callback.ToTopic;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.mqtt.Message;
import io.tinyfaas.gateway.mqtt.MessagePublisher;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.impl.ContextInternal;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Publishes answers at the devices' broker. On the invocation loop. */
@Singleton
final class TopicCallbacks {

  /** For the broker to acknowledge a message, after which it is published once more. */
  static final Duration TIMEOUT = Duration.ofSeconds(10);

  private static final int AT_LEAST_ONCE = 1;

  /** What a header is called as a User Property. */
  private static final List<Map.Entry<String, String>> PROPERTIES =
      List.of(
          Map.entry("call", HandlerHttp.RESULT_OF_HEADER),
          Map.entry("function", HandlerHttp.RESULT_FUNCTION_HEADER),
          Map.entry("state", HandlerHttp.RESULT_STATE_HEADER),
          Map.entry("status", HandlerHttp.RESULT_STATUS_HEADER),
          Map.entry("reason", HandlerHttp.RESULT_REASON_HEADER));

  private final ContextInternal context;
  private final Optional<MessagePublisher> publisher;

  @Inject
  TopicCallbacks(InvocationLoop loop, MessagePublisher publisher) {
    this(loop, Optional.of(publisher));
  }

  TopicCallbacks(InvocationLoop loop, Optional<MessagePublisher> publisher) {
    this.context = loop.context();
    this.publisher = publisher.filter(MessagePublisher::isEnabled);
  }

  /** Why nothing can be published in this installation, now or later. */
  Optional<String> refusal() {
    return publisher.isPresent()
        ? Optional.empty()
        : Optional.of("this installation has no broker for devices: MQTTS_PORT switches it on");
  }

  /** Runs each time that the broker is there again. */
  void onReady(Runnable listener) {
    publisher.ifPresent(its -> its.onConnected(listener));
  }

  Telling tell(ToTopic to, Answer answer) {
    Promise<Outcome> outcome = Promise.promise();
    if (publisher.isEmpty()) {
      outcome.complete(new Outcome.Refused(Outcome.NO_STATUS, refusal().orElseThrow()));
    } else if (!publisher.get().isConnected()) {
      outcome.complete(new Outcome.NotTaken("the devices' broker is away"));
    } else {
      publish(publisher.get(), message(to, answer), outcome);
    }
    return new Told(outcome);
  }

  private record Told(Promise<Outcome> promise) implements Telling {
    @Override
    public Future<Outcome> outcome() {
      return promise.future();
    }

    @Override
    public void callOff() {
      promise.tryComplete(new Outcome.Refused(Outcome.NO_STATUS, "it was called off"));
    }
  }

  private void publish(MessagePublisher broker, Message message, Promise<Outcome> outcome) {
    long timer =
        context.setTimer(
            TIMEOUT.toMillis(),
            late ->
                outcome.tryComplete(
                    new Outcome.Failed("the devices' broker has not acknowledged it")));
    broker
        .publish(message)
        .onComplete(
            published -> {
              context.owner().cancelTimer(timer);
              outcome.tryComplete(
                  published.succeeded()
                      ? new Outcome.Heard(Outcome.NO_STATUS)
                      : failed(broker, published.cause()));
            });
  }

  private static Outcome failed(MessagePublisher broker, Throwable why) {
    return broker.isConnected()
        ? new Outcome.Failed("the devices' broker does not take it: " + why.getMessage())
        : new Outcome.NotTaken("the devices' broker is away");
  }

  private static Message message(ToTopic to, Answer answer) {
    List<Map.Entry<String, String>> properties = new ArrayList<>();
    for (Map.Entry<String, String> property : PROPERTIES) {
      String value = answer.headers().get(property.getValue());
      if (value != null) {
        properties.add(Map.entry(property.getKey(), value));
      }
    }
    String type = answer.headers().get(HttpHeaders.CONTENT_TYPE);
    return new Message(
        to.topic(),
        AT_LEAST_ONCE,
        false,
        type == null ? "" : type,
        new byte[0],
        properties,
        answer.body());
  }
}
