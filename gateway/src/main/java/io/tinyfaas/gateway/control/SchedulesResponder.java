package io.tinyfaas.gateway.control;

import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.control.ControlTopics;
import io.tinyfaas.contract.control.SchedulesRequest;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.schedule.Schedules;
import jakarta.inject.Singleton;
import java.io.IOException;
import org.jboss.logging.Logger;

/**
 * Answers what the manager asks about schedules. A question whose answer is lost is asked again by
 * whoever wants to know.
 */
@Singleton
final class SchedulesResponder {

  private static final Logger LOG = Logger.getLogger(SchedulesResponder.class);

  private final BrokerConnection broker;
  private final InvocationLoop loop;
  private final Schedules schedules;

  SchedulesResponder(BrokerConnection broker, InvocationLoop loop, Schedules schedules) {
    this.broker = broker;
    this.loop = loop;
    this.schedules = schedules;
  }

  /** On the broker's event loop. */
  void receive(byte[] message) {
    SchedulesRequest request;
    try {
      request = ControlMessages.decodeSchedulesRequest(message);
    } catch (IOException e) {
      LOG.warnf("event=schedules-request-invalid reason=\"%s\"", e.getMessage());
      return;
    }
    loop.context()
        .runOnContext(
            asked -> {
              byte[] reply = ControlMessages.encode(schedules.answer(request));
              broker.run(() -> broker.publish(ControlTopics.SCHEDULES_REPLIES, reply, false));
            });
  }
}
