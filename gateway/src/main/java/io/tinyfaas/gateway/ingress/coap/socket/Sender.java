package io.tinyfaas.gateway.ingress.coap.socket;

import io.netty.channel.socket.DatagramChannel;
import io.tinyfaas.gateway.ingress.coap.peer.Peer;
import java.net.InetSocketAddress;

/**
 * Where a datagram came from.
 *
 * @param socket that it came to: the answer leaves by it, so from the address that was asked
 */
public record Sender(InetSocketAddress address, Peer peer, DatagramChannel socket) {}
