package io.tinyfaas.gateway.ingress.coap;

import io.netty.channel.socket.DatagramChannel;
import java.net.InetSocketAddress;
import org.eclipse.californium.elements.UdpEndpointContext;

/**
 * Where a datagram came from, and the socket it came to: what Californium sends back to there
 * leaves by the same socket, so from the address that was asked.
 */
final class PeerContext extends UdpEndpointContext {

  private final Peer peer;
  private final DatagramChannel channel;
  private final LoopConnector connector;

  PeerContext(
      InetSocketAddress address, Peer peer, DatagramChannel channel, LoopConnector connector) {
    super(address);
    this.peer = peer;
    this.channel = channel;
    this.connector = connector;
  }

  /** Asks the address for a proof, if it has not given one. */
  void ask() {
    if (!peer.isVerified()) {
      connector.ping(this);
    }
  }

  Peer peer() {
    return peer;
  }

  DatagramChannel channel() {
    return channel;
  }
}
