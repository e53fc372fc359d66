package io.tinyfaas.gateway.ingress.http;

import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.peer.PeerNetwork;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.memory.Holder;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import java.net.InetAddress;
import java.util.Optional;

/** Whoever has opened a TCP connection: known by its address only. */
final class AddressPeer implements HttpPeer {

  private static final CharSequence PEER = HttpHeaders.createOptimized(HandlerHttp.PEER_HEADER);

  private final PeerHolders holders;
  private final InetAddress address;
  private final String told;

  AddressPeer(PeerHolders holders, SocketAddress remote) {
    String text = remote.hostAddress();
    this.holders = holders;
    this.address = PeerNetwork.of(InetAddress.ofLiteral(text));
    this.told = (text.indexOf(':') < 0 ? text : '[' + text + ']') + ':' + remote.port();
  }

  @Override
  public Protocol protocol() {
    return Protocol.HTTP;
  }

  @Override
  public Object place() {
    return address;
  }

  /** Each time anew: one that holds nothing may be forgotten. */
  @Override
  public Holder holder() {
    return holders.of(address);
  }

  @Override
  public Target target(String uri) {
    return Target.of(uri);
  }

  @Override
  public Optional<HttpProblem> refusal(HttpServerRequest request, Target target) {
    return Optional.empty();
  }

  @Override
  public Invocation toInvocation(HttpServerRequest request, Target target, byte[] body) {
    MultiMap headers = HttpRequests.toHeaders(request, target, Protocol.HTTP).set(PEER, told);
    return new Invocation(target.function(), Protocol.HTTP, address, headers, body);
  }

  @Override
  public HttpProblem overloaded() {
    return HttpProblem.peerOverloaded();
  }

  @Override
  public boolean isAwaited() {
    return false;
  }
}
