package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.patient;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import org.eclipse.californium.core.coap.Message;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.serialization.UdpDataParser;

/** A port that sends bytes and reads bytes: for what no client can be made to send. */
final class DatagramClient implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int MAX_DATAGRAM = 2048;

  private final DatagramSocket socket;
  private final InetSocketAddress gateway;
  private final Set<String> responses = new HashSet<>();

  /**
   * @param port of a gateway, or a {@link Wire} to it, on this machine
   */
  DatagramClient(int port) {
    this.gateway = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    try {
      socket = new DatagramSocket();
      socket.setSoTimeout((int) patient(PATIENCE).toMillis());
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

  /** The next message. */
  Message receive() {
    DatagramPacket packet = new DatagramPacket(new byte[MAX_DATAGRAM], MAX_DATAGRAM);
    try {
      socket.receive(packet);
    } catch (SocketTimeoutException e) {
      throw new AssertionError("no message came", e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    byte[] bytes = Arrays.copyOf(packet.getData(), packet.getLength());
    return new UdpDataParser().parseMessage(bytes);
  }

  /** The next message with this ID, such as the acknowledgement of a request. */
  Message receive(int id) {
    Message message = receive();
    while (message.getMID() != id) {
      message = receive();
    }
    return message;
  }

  /** The next response that is not one sent again; empty acknowledgements are passed over. */
  Response receiveResponse() {
    while (true) {
      if (receive() instanceof Response response && responses.add(id(response))) {
        return response;
      }
    }
  }

  private static String id(Response response) {
    return response.getType() + " " + response.getMID();
  }

  @Override
  public void close() {
    socket.close();
  }
}
