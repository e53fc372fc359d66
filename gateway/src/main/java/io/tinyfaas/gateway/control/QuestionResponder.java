package io.tinyfaas.gateway.control;

import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.control.ControlTopics;
import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.schedule.Schedules;
import io.vertx.core.Future;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jboss.logging.Logger;

/**
 * Answers what the manager asks about calls and schedules. A question whose answer is lost is asked
 * again by whoever wants to know.
 */
@Singleton
final class QuestionResponder {

  private static final Logger LOG = Logger.getLogger(QuestionResponder.class);

  private final BrokerConnection broker;
  private final InvocationLoop loop;
  private final Calls calls;
  private final Schedules schedules;

  QuestionResponder(
      BrokerConnection broker, InvocationLoop loop, Calls calls, Schedules schedules) {
    this.broker = broker;
    this.loop = loop;
    this.calls = calls;
    this.schedules = schedules;
  }

  private interface Decoding<T> {
    T of(byte[] message) throws IOException;
  }

  /** The topics that questions come by, with what reads them, on the broker's event loop. */
  Map<String, Consumer<byte[]>> topics() {
    return Map.of(
        ControlTopics.CALLS_REQUESTS,
        message ->
            respond(
                "calls",
                message,
                ControlMessages::decodeCallsRequest,
                request -> calls.answer(request).map(ControlMessages::encode),
                ControlTopics.CALLS_REPLIES),
        ControlTopics.SCHEDULES_REQUESTS,
        message ->
            respond(
                "schedules",
                message,
                ControlMessages::decodeSchedulesRequest,
                request ->
                    Future.succeededFuture(ControlMessages.encode(schedules.answer(request))),
                ControlTopics.SCHEDULES_REPLIES));
  }

  /**
   * @param answer on the invocation loop
   */
  private <T> void respond(
      String what,
      byte[] message,
      Decoding<T> decoding,
      Function<T, Future<byte[]>> answer,
      String replies) {
    T request;
    try {
      request = decoding.of(message);
    } catch (IOException e) {
      LOG.warnf("event=%s-request-invalid reason=\"%s\"", what, e.getMessage());
      return;
    }
    loop.context()
        .runOnContext(
            asked ->
                answer
                    .apply(request)
                    .onSuccess(reply -> broker.run(() -> broker.publish(replies, reply, false))));
  }
}
