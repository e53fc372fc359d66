package io.tinyfaas.gateway.ingress.coap.observe;

import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.result.LastResult;
import io.tinyfaas.gateway.result.Resource;
import io.vertx.core.http.HttpHeaders;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.coap.Token;
import org.eclipse.californium.core.network.Exchange;
import org.eclipse.californium.elements.UdpEndpointContext;

/** A list of observers, in a time and before a network that the test plays. */
final class PlayedObservers implements ObservingPeer.Notifier {

  final ObserverList list;
  final List<Response> sent = new ArrayList<>();
  int followed;
  boolean reachable = true;
  private final Map<Resource, Representation> states = new HashMap<>();
  private final Map<String, Integer> addresses = new HashMap<>();
  private long now = 1_000_000;
  private int number;

  PlayedObservers(int max) {
    list = new ObserverList(max, this);
  }

  /** As {@link #tryRegister}, for one that there is room for. */
  Observation register(Type type, String peer, int token, String function) {
    return tryRegister(type, peer, token, function).orElseThrow();
  }

  /** Each peer at an address of its own. */
  Optional<Observation> tryRegister(Type type, String peer, int token, String function) {
    int host = addresses.computeIfAbsent(peer, first -> addresses.size() + 1);
    return tryRegister(
        type,
        InetAddress.ofLiteral("127.1." + host / 256 + "." + host % 256),
        peer,
        token,
        function);
  }

  Optional<Observation> tryRegister(
      Type type, InetAddress address, String peer, int token, String function) {
    Request request = new Request(Code.GET, type);
    request.setToken(new Token(new byte[] {(byte) token}));
    request.setSourceContext(new UdpEndpointContext(new InetSocketAddress(address, 1)));
    Exchange exchange = new Exchange(request, peer, Exchange.Origin.REMOTE, Runnable::run);
    Observation observation =
        new Observation(exchange, Resource.of(function), Representation.NO_FORMAT, now);
    return list.add(observation, new Response(ResponseCode.CONTENT))
        ? Optional.of(observation)
        : Optional.empty();
  }

  void result(String function, String body) {
    Answered answered =
        new Answered(200, HttpHeaders.headers(), body.getBytes(StandardCharsets.UTF_8));
    Resource resource = Resource.of(function);
    states.put(resource, new Representation(LastResult.of(answered, ++number).orElseThrow()));
    list.of(resource).forEach(observation -> list.peer(observation).notify(observation));
  }

  void pass(Duration time) {
    now += time.toMillis();
    list.all().forEach(observation -> list.peer(observation).check(observation));
    list.tick();
  }

  @Override
  public long now() {
    return now;
  }

  @Override
  public Optional<Representation> state(Resource resource) {
    return Optional.ofNullable(states.get(resource));
  }

  @Override
  public int nextNumber() {
    return ++number;
  }

  @Override
  public Exchange send(Observation to, Response notification, Optional<Exchange> earlier) {
    notification.setReadyToSend();
    sent.add(notification);
    if (!reachable) {
      notification.setSendError(new IOException("no way"));
    }
    followed += earlier.isPresent() ? 1 : 0;
    return new NotificationExchange(to, Runnable::run);
  }

  @Override
  public void onLoop(Runnable task) {
    task.run();
  }

  @Override
  public void heard(Observation observation) {
    list.heard(observation);
  }

  @Override
  public void lost(Observation observation) {
    list.remove(observation);
  }

  @Override
  public void ended(Observation observation) {
    list.release(observation);
  }
}
