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

  PeerContext(InetSocketAddress address, Peer peer, DatagramChannel channel) {
    super(address);
    this.peer = peer;
    this.channel = channel;
  }

  Peer peer() {
    return peer;
  }

  DatagramChannel channel() {
    return channel;
  }
}
