package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;

/** The resources of the test descriptions, each a function of the composed system. */
final class PlugtestServer {

  private static final byte[] ZIP = Installation.zipOf("end-to-end/src/test/functions/plugtest");
  private static final int PATIENCE_MILLIS = 1_000;

  private final Installation system;
  private final Functions functions;

  PlugtestServer(Installation system) {
    this.system = system;
    this.functions = new Functions(system);
  }

  void offer(String... resources) {
    for (String resource : resources) {
      offer(resource, Map.of());
    }
  }

  /**
   * @param spec the query, beyond the runtime
   */
  void offer(String resource, Map<String, ?> spec) {
    Map<String, Object> query = new HashMap<>(spec);
    query.put("runtime", "nodejs");
    query.put("memory", "64M");
    query.put("env", "RESOURCE=" + resource.replaceAll("\\d+$", "").replaceAll("-non$", ""));
    functions.deploy(resource, query, ZIP);
  }

  void withdraw(String resource) {
    assertThat(functions.delete(resource).statusCode()).isEqualTo(204);
  }

  void withdrawAll() {
    functions.afterEach(null);
  }

  Installation system() {
    return system;
  }

  /** By libcoap's client. */
  Exchange ask(String resource, String... options) {
    return ask(Wire.NONE, resource, options);
  }

  Exchange ask(Wire.Loss loss, String resource, String... options) {
    try (Wire wire = new Wire(system.coapPort(), loss)) {
      String uri = "coap://127.0.0.1:" + wire.port() + "/" + resource;
      String displayed = Libcoap.ask(system, uri, options);
      return new Exchange(displayed, wire.passed());
    }
  }

  /**
   * Bytes sent as a datagram each, from one port.
   *
   * @param datagrams in hexadecimal digits
   * @return what came back, until nothing came for a second
   */
  Exchange send(String... datagrams) {
    try (Wire wire = new Wire(system.coapPort(), Wire.NONE);
        DatagramSocket socket = new DatagramSocket()) {
      socket.setSoTimeout(PATIENCE_MILLIS);
      for (String datagram : datagrams) {
        byte[] bytes = HexFormat.of().parseHex(datagram.replace(" ", ""));
        socket.send(
            new DatagramPacket(
                bytes,
                bytes.length,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), wire.port())));
        receive(socket);
      }
      return new Exchange("", wire.passed());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void receive(DatagramSocket socket) throws IOException {
    try {
      socket.receive(new DatagramPacket(new byte[2048], 2048));
    } catch (SocketTimeoutException e) {
      // no answer is an answer, too
    }
  }
}
