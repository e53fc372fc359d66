package io.tinyfaas.gateway.control;

import io.tinyfaas.contract.control.CallsRequest;
import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.control.ControlTopics;
import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.loop.InvocationLoop;
import jakarta.inject.Singleton;
import java.io.IOException;
import org.jboss.logging.Logger;

/**
 * Answers what the manager asks about calls. A question whose answer is lost is asked again by
 * whoever wants to know.
 */
@Singleton
final class CallsResponder {

  private static final Logger LOG = Logger.getLogger(CallsResponder.class);

  private final BrokerConnection broker;
  private final InvocationLoop loop;
  private final Calls calls;

  CallsResponder(BrokerConnection broker, InvocationLoop loop, Calls calls) {
    this.broker = broker;
    this.loop = loop;
    this.calls = calls;
  }

  /** On the broker's event loop. */
  void receive(byte[] message) {
    CallsRequest request;
    try {
      request = ControlMessages.decodeCallsRequest(message);
    } catch (IOException e) {
      LOG.warnf("event=calls-request-invalid reason=\"%s\"", e.getMessage());
      return;
    }
    loop.context()
        .runOnContext(
            asked ->
                calls
                    .answer(request)
                    .map(ControlMessages::encode)
                    .onSuccess(reply -> broker.run(() -> publish(reply))));
  }

  private void publish(byte[] reply) {
    broker.publish(ControlTopics.CALLS_REPLIES, reply, false);
  }
}
