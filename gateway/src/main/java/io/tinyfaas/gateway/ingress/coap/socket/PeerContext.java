package io.tinyfaas.gateway.ingress.coap.socket;

import io.tinyfaas.gateway.ingress.coap.direct.DirectExchanges;
import io.tinyfaas.gateway.ingress.coap.peer.Peer;
import io.tinyfaas.gateway.ingress.coap.peer.Peers;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.vertx.core.Future;
import java.util.Optional;
import java.util.function.Consumer;
import org.eclipse.californium.elements.EndpointContext;
import org.eclipse.californium.elements.UdpEndpointContext;

/** Where a datagram came from, as Californium passes it on with the message. */
public final class PeerContext extends UdpEndpointContext {

  private final Sender sender;
  private final Consumer<Sender> pings;
  private final boolean begun;
  private Optional<Future<InvocationResult>> result;

  /** Of a message, whichever way it came. */
  public static Peer peerOf(EndpointContext context, Peers peers) {
    return context instanceof PeerContext known ? known.peer() : peers.at(context.getPeerAddress());
  }

  /**
   * @param pings asks an address for a sign of life
   * @param result of the invocation that the message has begun already ({@link DirectExchanges})
   */
  public PeerContext(
      Sender sender, Consumer<Sender> pings, Optional<Future<InvocationResult>> result) {
    super(sender.address());
    this.sender = sender;
    this.pings = pings;
    this.begun = result.isPresent();
    this.result = result;
  }

  /** Asks the address for a proof, if it has not given one. */
  public void ask() {
    if (!peer().isVerified()) {
      pings.accept(sender);
    }
  }

  Sender sender() {
    return sender;
  }

  public Peer peer() {
    return sender.peer();
  }

  /** Whether the message has begun its invocation already. */
  public boolean hasBegun() {
    return begun;
  }

  /** Its result, once: the context is remembered for minutes, which a large body must not be. */
  public Optional<Future<InvocationResult>> resultOnce() {
    Optional<Future<InvocationResult>> taken = result;
    result = Optional.empty();
    return taken;
  }
}
