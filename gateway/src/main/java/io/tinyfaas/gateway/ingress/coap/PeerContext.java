package io.tinyfaas.gateway.ingress.coap;

import io.tinyfaas.gateway.invoke.InvocationResult;
import io.vertx.core.Future;
import java.util.Optional;
import org.eclipse.californium.elements.UdpEndpointContext;

/** Where a datagram came from, as Californium passes it on with the message. */
final class PeerContext extends UdpEndpointContext {

  private final Sender sender;
  private final LoopConnector connector;
  private final boolean begun;
  private Optional<Future<InvocationResult>> result;

  PeerContext(Sender sender, LoopConnector connector) {
    this(sender, connector, Optional.empty());
  }

  /**
   * @param result of the invocation that the message has begun already ({@link PlainExchanges})
   */
  PeerContext(Sender sender, LoopConnector connector, Optional<Future<InvocationResult>> result) {
    super(sender.address());
    this.sender = sender;
    this.connector = connector;
    this.begun = result.isPresent();
    this.result = result;
  }

  /** Asks the address for a proof, if it has not given one. */
  void ask() {
    if (!peer().isVerified()) {
      connector.ping(sender);
    }
  }

  Sender sender() {
    return sender;
  }

  Peer peer() {
    return sender.peer();
  }

  /** Whether the message has begun its invocation already. */
  boolean hasBegun() {
    return begun;
  }

  /** Its result, once: the context is remembered for minutes, which a large body must not be. */
  Optional<Future<InvocationResult>> takeResult() {
    Optional<Future<InvocationResult>> taken = result;
    result = Optional.empty();
    return taken;
  }
}
