package io.tinyfaas.gateway.invoke;

import io.tinyfaas.contract.peer.PeerNetwork;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.memory.Holder;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.vertx.core.MultiMap;
import java.net.InetAddress;
import java.util.Objects;

/**
 * One request to one function, whatever protocol it came by.
 *
 * @param function as the device wrote it; there may be no such function
 * @param peer where it came from, or the {@link PeerNetwork network} of that; where invocations
 *     have to wait, peers take turns
 * @param device who has proved to be that device, by DTLS; empty for everybody else
 * @param headers for the handler, as its contract names them; not to be changed any more
 * @param body empty if there is none; not to be changed any more
 * @param lineage which functions led to it
 */
public record Invocation(
    String function,
    Protocol protocol,
    InetAddress peer,
    String device,
    MultiMap headers,
    byte[] body,
    Lineage lineage) {

  public Invocation {
    Objects.requireNonNull(function, "function");
    Objects.requireNonNull(protocol, "protocol");
    peer = PeerNetwork.of(peer);
    Objects.requireNonNull(device, "device");
    Objects.requireNonNull(headers, "headers");
    Objects.requireNonNull(body, "body");
    Objects.requireNonNull(lineage, "lineage");
  }

  /** From outside. */
  public Invocation(
      String function,
      Protocol protocol,
      InetAddress peer,
      String device,
      MultiMap headers,
      byte[] body) {
    this(function, protocol, peer, device, headers, body, Lineage.OUTSIDE);
  }

  /** From whoever it may be. */
  public Invocation(
      String function, Protocol protocol, InetAddress peer, MultiMap headers, byte[] body) {
    this(function, protocol, peer, "", headers, body);
  }

  /**
   * Whether functions for devices only take it: who made their schedules and their triggers may
   * call them, too, and so may who said of a function that it calls them.
   */
  public boolean isOfDevice() {
    return switch (protocol) {
      case SCHEDULE, MQTT, MQTTS, FUNCTION -> true;
      case COAP, COAPS, HTTP, GRPC -> !device.isEmpty();
    };
  }

  /** Who takes turns with others: an address, or the function that calls. */
  Object turn() {
    return lineage.caller().isEmpty() ? peer : lineage.caller();
  }

  /** For whom it counts. */
  public Holder holder(PeerHolders holders) {
    return lineage.caller().isEmpty() ? holders.of(peer) : holders.ofFunction(lineage.caller());
  }

  public Invocation with(Lineage other) {
    return new Invocation(function, protocol, peer, device, headers, body, other);
  }
}
