package io.tinyfaas.gateway.ingress.coap;

import io.netty.channel.socket.DatagramChannel;
import java.net.InetSocketAddress;

/**
 * Where a datagram came from.
 *
 * @param socket that it came to: the answer leaves by it, so from the address that was asked
 */
record Sender(InetSocketAddress address, Peer peer, DatagramChannel socket) {}
