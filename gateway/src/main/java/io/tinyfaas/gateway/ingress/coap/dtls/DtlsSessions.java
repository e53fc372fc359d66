package io.tinyfaas.gateway.ingress.coap.dtls;

import java.security.Principal;
import java.util.Objects;
import org.eclipse.californium.elements.DtlsEndpointContext;
import org.eclipse.californium.elements.EndpointContext;
import org.eclipse.californium.elements.EndpointContextMatcher;

/**
 * A peer is a session, not an address: messages belong together within one (RFC 7252, 9.1.1), and
 * its address may change (RFC 9146). So a message is known as a duplicate and a transfer goes on
 * after the change, and neither is mistaken for one of the device's earlier session.
 */
public final class DtlsSessions implements EndpointContextMatcher {

  private record Session(Principal device, Long handshake) {}

  @Override
  public String getName() {
    return "DTLS session";
  }

  /** Scandium's context has both, of an established session. */
  @Override
  public Object getEndpointIdentity(EndpointContext context) {
    return new Session(
        context.getPeerIdentity(), context.get(DtlsEndpointContext.KEY_HANDSHAKE_TIMESTAMP));
  }

  @Override
  public boolean isResponseRelatedToRequest(EndpointContext request, EndpointContext response) {
    return getEndpointIdentity(request).equals(getEndpointIdentity(response));
  }

  /** Not without a session: a server does not begin one. */
  @Override
  public boolean isToBeSent(EndpointContext message, EndpointContext connection) {
    return connection != null
        && Objects.equals(getEndpointIdentity(message), getEndpointIdentity(connection));
  }

  @Override
  public String toRelevantState(EndpointContext context) {
    return context == null ? "" : getEndpointIdentity(context).toString();
  }
}
