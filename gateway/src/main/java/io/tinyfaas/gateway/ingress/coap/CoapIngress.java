package io.tinyfaas.gateway.ingress.coap;

import io.tinyfaas.gateway.GatewayConfig;
import io.tinyfaas.gateway.invoke.Invocation;
import io.tinyfaas.gateway.invoke.InvocationMetrics;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.invoke.Protocol;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.core.network.Exchange;
import org.eclipse.californium.core.network.serialization.UdpDataSerializer;
import org.eclipse.californium.core.server.MessageDeliverer;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.config.UdpConfig;
import org.eclipse.californium.elements.util.ExecutorsUtil;
import org.eclipse.californium.elements.util.NamedThreadFactory;
import org.jboss.logging.Logger;

/**
 * CoAP over UDP. Californium does messages, deduplication and block-wise transfer on its own
 * threads and hands over whole requests; here they hop to one event loop, on which everything else
 * happens; the response hops back inside Californium.
 */
@Singleton
public final class CoapIngress implements MessageDeliverer {

  private static final Logger LOG = Logger.getLogger(CoapIngress.class);
  private static final long NO_TIMER = -1;
  private static final int THREADS_STOP_MILLIS = 1_000;

  /** One block and one datagram: fits the IPv6 minimum MTU (RFC 7252, 4.6). */
  private static final int BLOCK_BYTES = 1_024;

  /** The kernel drops datagrams from about 256 devices on with its own default. */
  private static final int RECEIVE_BUFFER_BYTES = 4 * 1_024 * 1_024;

  /**
   * How many messages of one device are remembered as duplicates; all of the last four minutes
   * would take gigabytes at ten thousand a second.
   */
  private static final int REMEMBERED_PER_PEER = 16;

  private final Vertx vertx;
  private final Context context;
  private final GatewayConfig config;
  private final Invoker invoker;
  private final InvocationMetrics metrics;
  private ScheduledExecutorService protocolThreads;
  private ScheduledExecutorService timerThreads;
  private CoapEndpoint endpoint;
  private volatile boolean refusing;

  CoapIngress(Vertx vertx, GatewayConfig config, Invoker invoker, InvocationMetrics metrics) {
    this.vertx = vertx;
    this.context = vertx.getOrCreateContext();
    this.config = config;
    this.invoker = invoker;
    this.metrics = metrics;
  }

  /**
   * @throws UncheckedIOException if the port cannot be bound
   */
  public void start() {
    Configuration settings = settings();
    int threads = settings.get(CoapConfig.PROTOCOL_STAGE_THREAD_COUNT);
    protocolThreads =
        ExecutorsUtil.newScheduledThreadPool(threads, new NamedThreadFactory("coap-"));
    timerThreads = ExecutorsUtil.newDefaultSecondaryScheduler("coap-timer-");
    InetSocketAddress address = new InetSocketAddress(config.coap().host(), config.coap().port());
    endpoint =
        CoapEndpoint.builder()
            .setConfiguration(settings)
            .setInetSocketAddress(address)
            .setDataSerializerAndParser(new UdpDataSerializer(), new CoapParser())
            .build();
    endpoint.setExecutors(protocolThreads, timerThreads);
    endpoint.setMessageDeliverer(this);
    try {
      endpoint.start();
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot listen for CoAP on UDP "
              + address
              + " ("
              + e.getMessage()
              + "): stop what listens there, or choose another COAP_PORT",
          e);
    }
    LOG.infof("event=coap-started address=%s", endpoint.getAddress());
  }

  public boolean isBound() {
    return endpoint != null && endpoint.isStarted();
  }

  /** The UDP port that is really bound. */
  public int port() {
    return endpoint.getAddress().getPort();
  }

  /** From now on requests are answered with 5.03; those that are running go on. */
  public void refuseNew() {
    refusing = true;
  }

  public void stop() {
    if (endpoint != null) {
      endpoint.destroy();
      ExecutorsUtil.shutdownExecutorGracefully(THREADS_STOP_MILLIS, protocolThreads, timerThreads);
    }
  }

  /** On a Californium thread. */
  @Override
  public void deliverRequest(Exchange exchange) {
    Request request = exchange.getRequest();
    Optional<ResponseCode> refusal = CoapRequests.refusal(request);
    if (refusal.isPresent()) {
      metrics.refused(Protocol.COAP, "bad_request");
      exchange.sendResponse(CoapResponses.diagnostic(refusal.get(), "this is no proxy"));
    } else if (refusing) {
      exchange.sendResponse(CoapResponses.unavailable("the gateway is stopping"));
    } else {
      Invocation invocation = CoapRequests.toInvocation(request);
      context.runOnContext(hop -> invoke(exchange, request, invocation));
    }
  }

  /** On the event loop. Californium sends no error response to a multicast (RFC 7252, 8.2). */
  private void invoke(Exchange exchange, Request request, Invocation invocation) {
    long acknowledgement =
        request.isConfirmable()
            ? vertx.setTimer(config.coap().ackDelay().toMillis(), late -> exchange.sendAccept())
            : NO_TIMER;
    invoker
        .invoke(invocation)
        .map(result -> CoapResponses.toResponse(request, result))
        .recover(
            bug -> {
              LOG.error("event=response-failed", bug);
              return Future.succeededFuture(new Response(ResponseCode.INTERNAL_SERVER_ERROR));
            })
        .onSuccess(
            response -> {
              if (acknowledgement != NO_TIMER) {
                vertx.cancelTimer(acknowledgement);
              }
              exchange.sendResponse(response);
            });
  }

  /** Responses to requests of the gateway's own, of which there are none. */
  @Override
  public void deliverResponse(Exchange exchange, Response response) {}

  private Configuration settings() {
    CoapConfig.register();
    UdpConfig.register();
    return Configuration.createStandardWithoutFile()
        .set(CoapConfig.MAX_RESOURCE_BODY_SIZE, Math.toIntExact(config.maxBody().asLongValue()))
        .set(CoapConfig.PREFERRED_BLOCK_SIZE, BLOCK_BYTES)
        .set(CoapConfig.MAX_MESSAGE_SIZE, BLOCK_BYTES)
        .set(CoapConfig.BLOCKWISE_STATUS_LIFETIME, 60, TimeUnit.SECONDS)
        .set(CoapConfig.DEDUPLICATOR, CoapConfig.DEDUPLICATOR_PEERS_MARK_AND_SWEEP)
        .set(CoapConfig.PEERS_MARK_AND_SWEEP_MESSAGES, REMEMBERED_PER_PEER)
        .set(UdpConfig.UDP_RECEIVE_BUFFER_SIZE, RECEIVE_BUFFER_BYTES)
        .set(UdpConfig.UDP_RECEIVER_THREAD_COUNT, 1)
        .set(UdpConfig.UDP_SENDER_THREAD_COUNT, 1);
  }
}
