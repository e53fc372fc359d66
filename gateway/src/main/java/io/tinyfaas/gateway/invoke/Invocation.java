package io.tinyfaas.gateway.invoke;

import io.tinyfaas.contract.peer.PeerNetwork;
import io.tinyfaas.gateway.ingress.Protocol;
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
 */
public record Invocation(
    String function,
    Protocol protocol,
    InetAddress peer,
    String device,
    MultiMap headers,
    byte[] body) {

  public Invocation {
    Objects.requireNonNull(function, "function");
    Objects.requireNonNull(protocol, "protocol");
    peer = PeerNetwork.of(peer);
    Objects.requireNonNull(device, "device");
    Objects.requireNonNull(headers, "headers");
    Objects.requireNonNull(body, "body");
  }

  /** Whether functions for devices only take it: who made their schedules may call them, too. */
  public boolean isOfDevice() {
    return !device.isEmpty() || protocol == Protocol.SCHEDULE;
  }

  /** From whoever it may be. */
  public Invocation(
      String function, Protocol protocol, InetAddress peer, MultiMap headers, byte[] body) {
    this(function, protocol, peer, "", headers, body);
  }
}
