package io.tinyfaas.gateway.ingress.coap;

import io.netty.channel.EventLoop;
import io.tinyfaas.gateway.call.CallOptions;
import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.ingress.Ingress;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.ingress.coap.direct.DirectExchanges;
import io.tinyfaas.gateway.ingress.coap.discovery.Discovery;
import io.tinyfaas.gateway.ingress.coap.dtls.DtlsConnector;
import io.tinyfaas.gateway.ingress.coap.dtls.DtlsSessions;
import io.tinyfaas.gateway.ingress.coap.duplicate.BoundedDeduplicator;
import io.tinyfaas.gateway.ingress.coap.duplicate.RememberedAnswers;
import io.tinyfaas.gateway.ingress.coap.message.Blocks;
import io.tinyfaas.gateway.ingress.coap.message.CoapRequests;
import io.tinyfaas.gateway.ingress.coap.message.CoapResponses;
import io.tinyfaas.gateway.ingress.coap.observe.CallResource;
import io.tinyfaas.gateway.ingress.coap.observe.Observers;
import io.tinyfaas.gateway.ingress.coap.peer.EchoValues;
import io.tinyfaas.gateway.ingress.coap.peer.Peers;
import io.tinyfaas.gateway.ingress.coap.socket.LoopConnector;
import io.tinyfaas.gateway.ingress.coap.socket.PeerContext;
import io.tinyfaas.gateway.ingress.coap.transfer.Transfers;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationResult;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.loop.BugLog;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.loop.LoopTimers;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.HeapBudget;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.gateway.metrics.InvocationMetrics;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.vertx.core.Future;
import io.vertx.core.impl.ContextInternal;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.network.Exchange;
import org.eclipse.californium.core.server.MessageDeliverer;
import org.eclipse.californium.elements.Connector;
import org.eclipse.californium.elements.EndpointContextMatcher;
import org.eclipse.californium.elements.UdpEndpointContextMatcher;
import org.jboss.logging.Logger;

/**
 * CoAP over UDP. Californium does messages and their deduplication, {@link Transfers} blocks; whole
 * requests come here, on the {@link InvocationLoop}.
 */
@Singleton
public final class CoapIngress implements Ingress, MessageDeliverer {

  private static final Logger LOG = Logger.getLogger(CoapIngress.class);
  private static final BugLog BUGS = new BugLog(LOG, "response-failed");

  /** As many as Californium's own connector takes. */
  private static final int MAX_DATAGRAM_BYTES = 2_048;

  /**
   * Of what is there to remember messages that may come again: a quarter is for plain ones by UDP,
   * a quarter for Californium's by UDP, and half for those by DTLS.
   */
  private static final int UDP_FRACTION = 4;

  private static final int DTLS_FRACTION = 2;

  private static final long EXPIRY_MILLIS = 10_000;

  /** How long observers have to acknowledge that the gateway stops: less than one resends in. */
  private static final long OBSERVERS_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final ContextInternal context;
  private final LoopTimers timers;
  private final CoapSettings settings;
  private final long remembered;
  private final Invoker invoker;
  private final InvocationMetrics metrics;
  private final CurrentRoutes routes;
  private final Peers peers;
  private final Transfers transfers;
  private final Calls calls;
  private final CallResource callResource;
  private final Discovery discovery;
  private final Observers observers;
  private final Responder responder;
  private CoapTransport transport;
  private DirectExchanges direct;
  private volatile boolean refusing;
  private volatile long observersEnd;

  CoapIngress(
      InvocationLoop loop,
      LoopTimers timers,
      HeapSettings heap,
      CoapSettings settings,
      CurrentRoutes routes,
      Invoker invoker,
      InvocationMetrics metrics,
      BodyMemory memory,
      HeapBudget budget,
      Calls calls,
      CallResource callResource,
      Discovery discovery,
      Observers observers) {
    this.context = loop.context();
    this.timers = timers;
    this.settings = settings;
    this.remembered = budget.remembered();
    this.routes = routes;
    this.invoker = invoker;
    this.metrics = metrics;
    this.calls = calls;
    this.callResource = callResource;
    this.discovery = discovery;
    this.observers = observers;
    this.peers = new Peers(settings.trustedNetworks());
    int maxBody = Math.toIntExact(heap.maxBody().asLongValue());
    EchoValues echoes = new EchoValues();
    this.transfers = new Transfers(memory, peers, echoes, maxBody, Blocks.MAX_BYTES);
    this.responder = new Responder(context.nettyEventLoop(), memory, echoes);
  }

  /** For the same requests by DTLS; to be given a deliverer and started. */
  CoapTransport transport(DtlsConnector connector) {
    return transport(
        connector,
        new DtlsSessions(),
        BoundedDeduplicator.ofBytes(remembered / DTLS_FRACTION, session -> true));
  }

  private CoapTransport transport(
      Connector connector, EndpointContextMatcher peers, BoundedDeduplicator deduplicator) {
    return new CoapTransport(context.nettyEventLoop(), connector, peers, deduplicator, transfers);
  }

  @Override
  public Protocol protocol() {
    return Protocol.COAP;
  }

  @Override
  public boolean isEnabled() {
    return settings.port() != OFF;
  }

  @Override
  public void start() {
    InetSocketAddress address = new InetSocketAddress(settings.host(), settings.port());
    EventLoop loop = context.nettyEventLoop();
    BoundedDeduplicator deduplicator =
        BoundedDeduplicator.ofBytes(
            remembered / UDP_FRACTION,
            peer -> peer instanceof InetSocketAddress from && peers.isVerified(from));
    LoopConnector connector = new LoopConnector(loop, address, MAX_DATAGRAM_BYTES, peers);
    direct =
        new DirectExchanges(
            routes,
            invoker,
            timers,
            settings.ackDelay(),
            RememberedAnswers.ofBytes(remembered / UDP_FRACTION, peers::isVerified),
            deduplicator,
            connector);
    connector.addReader(direct);
    transport = transport(connector, new UdpEndpointContextMatcher(true), deduplicator);
    transport.endpoint().setMessageDeliverer(this);
    try {
      if (address.isUnresolved()) {
        throw new UnknownHostException("unknown host");
      }
      transport.endpoint().start();
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot listen for CoAP on UDP "
              + address
              + " ("
              + e.getMessage()
              + "): stop what listens there, set TINYFAAS_COAP_HOST to an address of this box, or"
              + " choose another COAP_PORT",
          e);
    }
    context.setPeriodic(EXPIRY_MILLIS, tick -> transfers.expire());
    LOG.infof("event=coap-started address=%s", transport.endpoint().getAddress());
  }

  @Override
  public boolean isBound() {
    return transport != null && transport.endpoint().isStarted();
  }

  @Override
  public int port() {
    return transport.endpoint().getAddress().getPort();
  }

  /** From now on the answer is 5.03, which observers are told, too. */
  @Override
  public void refuseNew() {
    refusing = true;
    direct.refuseNew();
    observersEnd = System.nanoTime() + OBSERVERS_NANOS;
    observers.stop();
  }

  @Override
  public int waiting() {
    boolean soon = System.nanoTime() - observersEnd < 0;
    return responder.waiting() + (soon ? observers.leaving() : 0);
  }

  @Override
  public void stop() {
    if (transport != null) {
      transport.stop();
    }
  }

  /** On the event loop. */
  @Override
  public void deliverRequest(Exchange exchange) {
    Request request = exchange.getRequest();
    Optional<Future<InvocationResult>> begun =
        request.getSourceContext() instanceof PeerContext context
            ? context.takeResult()
            : Optional.empty();
    Optional<ResponseCode> refusal = CoapRequests.refusal(request);
    if (begun.isPresent()) {
      goOn(exchange, begun.get());
    } else if (refusal.isPresent()) {
      metrics.refused(Protocol.COAP, "bad_request");
      responder.send(exchange, CoapResponses.diagnostic(refusal.get(), "this is no proxy"));
    } else if (refusing) {
      responder.send(exchange, CoapResponses.stopping());
    } else if (Discovery.isAsked(request)) {
      responder.send(exchange, discovery.answer(request));
    } else {
      context.dispatch(() -> run(exchange, request));
    }
  }

  /** On the event loop. */
  private void run(Exchange exchange, Request request) {
    List<String> path = request.getOptions().getUriPath();
    boolean ofCalls = !path.isEmpty() && path.getFirst().equals(Calls.PATH);
    boolean post = request.getCode() == Code.POST;
    if (ofCalls && post) {
      accept(exchange, CoapRequests.toInvocation(request, path.subList(1, path.size())));
    } else if (ofCalls) {
      answer(exchange, callResource.answer(exchange));
    } else if (post && calls.isDurable(path.isEmpty() ? "" : path.getFirst())) {
      accept(exchange, CoapRequests.toInvocation(request));
    } else {
      invoke(exchange, request, CoapRequests.toInvocation(request));
    }
  }

  /** Answered once it is on disk. */
  private void accept(Exchange exchange, Invocation invocation) {
    Request request = exchange.getRequest();
    answer(
        exchange,
        calls
            .accept(invocation, CallOptions.NONE)
            .map(
                acceptance -> {
                  acceptance
                      .refusal()
                      .ifPresent(outcome -> metrics.refused(invocation.protocol(), outcome));
                  return CoapResponses.toResponse(request, acceptance);
                }));
  }

  /** What {@link DirectExchanges} has begun: no observation, and late with its acknowledgement. */
  private void goOn(Exchange exchange, Future<InvocationResult> result) {
    if (!result.isComplete()) {
      responder.acknowledge(exchange);
    }
    Request request = exchange.getRequest();
    result
        .map(outcome -> CoapResponses.toResponse(request, outcome))
        .recover(CoapIngress::failed)
        .onSuccess(response -> responder.send(exchange, response));
  }

  /** Californium sends no error response to a multicast (RFC 7252, 8.2). */
  private void invoke(Exchange exchange, Request request, Invocation invocation) {
    Optional<Response> known = observers.answer(exchange, invocation);
    if (known.isPresent()) {
      responder.send(exchange, known.get());
      return;
    }
    answer(
        exchange,
        invoker
            .invoke(invocation)
            .map(
                result ->
                    observers.answered(
                        exchange, invocation, result, CoapResponses.toResponse(request, result))));
  }

  /** With an acknowledgement of its own if it takes long. */
  private void answer(Exchange exchange, Future<Response> begun) {
    LoopTimers.Timer acknowledgement =
        exchange.getRequest().isConfirmable() && !begun.isComplete()
            ? timers.start(settings.ackDelay().toMillis(), () -> responder.acknowledge(exchange))
            : null;
    begun
        .recover(CoapIngress::failed)
        .onSuccess(
            response -> {
              if (acknowledgement != null) {
                acknowledgement.cancel();
              }
              responder.send(exchange, response);
            });
  }

  private static Future<Response> failed(Throwable bug) {
    BUGS.say(bug);
    return Future.succeededFuture(new Response(ResponseCode.INTERNAL_SERVER_ERROR));
  }

  /** Responses to requests of the gateway's own, of which there are none. */
  @Override
  public void deliverResponse(Exchange exchange, Response response) {}
}
