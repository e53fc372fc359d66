package io.tinyfaas.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;

/** The resources of the test descriptions, each a function of the composed system. */
final class PlugtestServer {

  private static final byte[] ZIP = Archives.ofFolder("end-to-end/src/test/functions/plugtest");

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
   * Datagrams from one port, and what came back for each.
   *
   * @param datagrams in hexadecimal digits
   */
  Exchange send(String... datagrams) {
    try (Wire wire = new Wire(system.coapPort(), Wire.NONE);
        DatagramClient client = new DatagramClient(wire.port())) {
      for (String datagram : datagrams) {
        client.send(datagram);
        client.receive();
      }
      return new Exchange("", wire.passed());
    }
  }
}
