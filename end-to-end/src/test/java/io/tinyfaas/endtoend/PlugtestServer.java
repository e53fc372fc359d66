package io.tinyfaas.endtoend;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.harness.Command;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/** The resources of the test descriptions, each a function of the composed system. */
final class PlugtestServer {

  private static final byte[] ZIP = Archives.ofFolder("end-to-end/src/test/functions/plugtest");

  private final Installation system;
  private final Functions functions;
  private int ids;

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
    query.put("timeout", "2m"); // longer than a test holds an answer back
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
      String displayed = Libcoap.ask(system, uri(wire, resource), options);
      return new Exchange(displayed, wire.passed());
    }
  }

  /**
   * For what a function answers at once, and may be asked again: that is done where the machine was
   * so slow that the gateway acknowledged the request first.
   */
  Exchange askAtOnce(String resource, String... options) {
    return askAtOnce(Wire.NONE, resource, options);
  }

  Exchange askAtOnce(Wire.Loss loss, String resource, String... options) {
    return eventually()
        .until(() -> ask(loss, resource, options), exchange -> !exchange.isAcknowledgedFirst());
  }

  /** The function does not answer before the gateway has acknowledged the request. */
  Exchange askSeparately(Wire.Loss loss, String... options) {
    return askHeld(
        loss,
        wire ->
            eventually()
                .until(
                    () ->
                        wire.soFar().stream()
                            .filter(datagram -> !datagram.fromClient())
                            .map(Wire.Datagram::message)
                            .anyMatch(Exchange::isEmptyAcknowledgement)),
        options);
  }

  /** As {@link #askSeparately}, by a request that is not acknowledged. */
  Exchange askNonConfirmable(String... options) {
    return askHeld(Wire.NONE, wire -> {}, options);
  }

  private Exchange askHeld(Wire.Loss loss, Consumer<Wire> held, String... options) {
    String resource = "separate?id=" + ++ids;
    try (Wire wire = new Wire(system.coapPort(), loss);
        Command.Running client = Libcoap.command(system, uri(wire, resource), options).start()) {
      held.accept(wire);
      eventually().until(() -> ask(resource, "-m", "put").displayed().equals("released"));
      assertThat(client.awaitExit(Duration.ofSeconds(30))).as(client.output()).isZero();
      return new Exchange(client.output(), wire.passed());
    }
  }

  private static String uri(Wire wire, String resource) {
    return "coap://127.0.0.1:" + wire.port() + "/" + resource;
  }

  /**
   * Datagrams from one port, and what came back for each.
   *
   * @param datagrams in hexadecimal digits
   */
  Exchange send(String... datagrams) {
    return talk(
        client -> {
          for (String datagram : datagrams) {
            client.send(datagram);
            client.receive();
          }
        });
  }

  /**
   * What is said from one port. It is said again, from another, where the machine was so slow that
   * the gateway acknowledged a request first.
   */
  Exchange talk(Consumer<DatagramClient> words) {
    return eventually().until(() -> talkOnce(words), exchange -> !exchange.isAcknowledgedFirst());
  }

  Exchange talkOnce(Consumer<DatagramClient> words) {
    try (Wire wire = new Wire(system.coapPort(), Wire.NONE);
        DatagramClient client = new DatagramClient(wire.port())) {
      words.accept(client);
      return new Exchange("", wire.passed());
    }
  }
}
