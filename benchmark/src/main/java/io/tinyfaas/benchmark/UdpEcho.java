package io.tinyfaas.benchmark;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;

/**
 * The least that can answer a CoAP request: its message ID and token back as a 2.05 in an ACK,
 * without a look at anything else. What the clients reach with it is their ceiling on this machine.
 */
final class UdpEcho implements AutoCloseable {

  private static final int RECEIVE_BUFFER = 4 << 20;

  private final DatagramChannel channel;
  private final Thread thread;

  UdpEcho() throws IOException {
    channel = DatagramChannel.open();
    // A thousand requests at once have to fit; the system may grant less.
    channel.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER);
    channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    thread = Thread.ofPlatform().name("udp-echo").daemon().start(this::serve);
  }

  URI uri() throws IOException {
    InetSocketAddress address = (InetSocketAddress) channel.getLocalAddress();
    return URI.create("coap://" + address.getHostString() + ":" + address.getPort() + "/");
  }

  private void serve() {
    ByteBuffer message = ByteBuffer.allocateDirect(2_048);
    try {
      while (true) {
        SocketAddress peer = channel.receive(message.clear());
        message.flip();
        if (!CoapMessage.isWellFormed(message)
            || CoapMessage.type(message) != CoapMessage.CON
            || CoapMessage.code(message) != CoapMessage.GET) {
          continue;
        }
        message.limit(4 + CoapMessage.tokenLength(message));
        message.put(0, (byte) (message.get(0) | CoapMessage.ACK << 4));
        message.put(1, (byte) CoapMessage.CONTENT);
        channel.send(message, peer);
      }
    } catch (ClosedChannelException e) {
      // close() ends it.
    } catch (IOException e) {
      System.err.println("The echo ended: " + e.getMessage());
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
