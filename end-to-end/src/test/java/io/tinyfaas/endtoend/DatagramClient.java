package io.tinyfaas.endtoend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import org.eclipse.californium.core.coap.Message;
import org.eclipse.californium.core.network.serialization.UdpDataParser;

/** A port that sends bytes and reads bytes: for what no client can be made to send. */
final class DatagramClient implements AutoCloseable {

  private static final int PATIENCE_MILLIS = 1_000;
  private static final int MAX_DATAGRAM = 2048;

  private final DatagramSocket socket;
  private final InetSocketAddress gateway;

  /**
   * @param port of a gateway, or a {@link Wire} to it, on this machine
   */
  DatagramClient(int port) {
    this.gateway = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    try {
      socket = new DatagramSocket();
      socket.setSoTimeout(PATIENCE_MILLIS);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * @param digits hexadecimal, with spaces where they help
   */
  void send(String digits) {
    byte[] bytes = HexFormat.of().parseHex(digits.replace(" ", ""));
    try {
      socket.send(new DatagramPacket(bytes, bytes.length, gateway));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The next message, unless none comes for a second. */
  Optional<Message> receive() {
    DatagramPacket packet = new DatagramPacket(new byte[MAX_DATAGRAM], MAX_DATAGRAM);
    try {
      socket.receive(packet);
    } catch (SocketTimeoutException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    byte[] bytes = Arrays.copyOf(packet.getData(), packet.getLength());
    return Optional.of(new UdpDataParser().parseMessage(bytes));
  }

  @Override
  public void close() {
    socket.close();
  }
}
