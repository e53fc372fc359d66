package io.tinyfaas.gateway.ingress.coap.observe;

import java.util.concurrent.Executor;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.Exchange;
import org.eclipse.californium.core.network.MessageExchangeStore;
import org.eclipse.californium.core.network.stack.AbstractLayer;
import org.eclipse.californium.core.network.stack.Layer;

/**
 * The exchange of one notification. Californium sends all notifications of an observer in the
 * exchange of its registration, where an acknowledgement may be taken for that of another one, one
 * in transit per observation, and the answer to a registration that comes a second time is the last
 * notification. With an exchange each none of that is so.
 */
public final class NotificationExchange extends Exchange {

  NotificationExchange(Observation observation, Executor loop) {
    super(observation.request(), observation.key().peer(), Origin.REMOTE, loop);
    setEndpoint(observation.endpoint());
  }

  /** Transmissions of an older state count (RFC 7641, 4.5.2). */
  void follow(Exchange earlier) {
    execute(
        () -> {
          startTransmissionRtt(); // which Californium does at the first transmission only
          setTimeoutScale(earlier.getTimeoutScale());
          setCurrentTimeout(earlier.getCurrentTimeout());
          for (int i = 0; i < earlier.getFailedTransmissionCount(); i++) {
            incrementFailedTransmissionCount();
          }
        });
  }

  /** The lowest layer of the stack, which has notifications forgotten when they are over. */
  public static Layer layer(MessageExchangeStore exchanges) {
    return new AbstractLayer() {
      @Override
      public void sendResponse(Exchange exchange, Response response) {
        if (exchange instanceof NotificationExchange) {
          exchange.setRemoveHandler(
              (done, token, mid) -> {
                if (mid != null) {
                  exchanges.remove(mid, done);
                }
              });
        }
        super.sendResponse(exchange, response);
        boolean registration =
            response.getType() == Type.NON
                && response.isNotification()
                && !(exchange instanceof NotificationExchange);
        if (registration) {
          // Californium would keep it for a reset, for ever: the next notification is reset, too.
          exchange.executeComplete();
        }
      }
    };
  }
}
