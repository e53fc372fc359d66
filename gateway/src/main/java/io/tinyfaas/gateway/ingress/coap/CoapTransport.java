package io.tinyfaas.gateway.ingress.coap;

import io.netty.channel.EventLoop;
import io.tinyfaas.gateway.ingress.coap.duplicate.BoundedDeduplicator;
import io.tinyfaas.gateway.ingress.coap.message.Blocks;
import io.tinyfaas.gateway.ingress.coap.message.CoapParser;
import io.tinyfaas.gateway.ingress.coap.observe.NotificationExchange;
import io.tinyfaas.gateway.ingress.coap.transfer.Transfers;
import io.tinyfaas.gateway.loop.LoopExecutor;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.core.network.ExtendedCoapStackFactory;
import org.eclipse.californium.core.network.InMemoryMessageExchangeStore;
import org.eclipse.californium.core.network.MessageExchangeStore;
import org.eclipse.californium.core.network.Outbox;
import org.eclipse.californium.core.network.RandomTokenGenerator;
import org.eclipse.californium.core.network.TokenGenerator;
import org.eclipse.californium.core.network.serialization.UdpDataSerializer;
import org.eclipse.californium.core.network.stack.BaseCoapStack;
import org.eclipse.californium.core.network.stack.CoapStack;
import org.eclipse.californium.core.network.stack.CongestionControlLayer;
import org.eclipse.californium.core.network.stack.ExchangeCleanupLayer;
import org.eclipse.californium.core.network.stack.Layer;
import org.eclipse.californium.elements.Connector;
import org.eclipse.californium.elements.EndpointContextMatcher;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.config.UdpConfig;
import org.eclipse.californium.elements.util.ExecutorsUtil;

/**
 * Californium put together so that it runs on one event loop and its memory is bounded, whatever
 * comes by UDP: the messages that are remembered, and the transfers that are not finished.
 * Datagrams wait in the socket only.
 */
final class CoapTransport {

  private static final int TIMERS_STOP_MILLIS = 1_000;

  private final ScheduledThreadPoolExecutor timers;
  private final CoapEndpoint endpoint;

  /**
   * @param peers which messages have the same peer
   */
  CoapTransport(
      EventLoop loop,
      Connector connector,
      EndpointContextMatcher peers,
      BoundedDeduplicator deduplicator,
      Transfers transfers) {
    CoapConfig.register();
    UdpConfig.register();
    Configuration settings =
        Configuration.createStandardWithoutFile().set(CoapConfig.USE_MESSAGE_OFFLOADING, true);
    timers = ExecutorsUtil.newDefaultSecondaryScheduler("coap-timer-");
    TokenGenerator tokens = new RandomTokenGenerator(settings);
    InMemoryMessageExchangeStore exchanges = new InMemoryMessageExchangeStore(settings, tokens);
    exchanges.setDeduplicator(deduplicator);
    endpoint =
        CoapEndpoint.builder()
            .setConfiguration(settings)
            .setConnector(connector)
            .setEndpointContextMatcher(peers)
            .setTokenGenerator(tokens)
            .setMessageExchangeStore(exchanges)
            .setCoapStackFactory(new StackFactory(transfers, exchanges))
            .setDataSerializerAndParser(new UdpDataSerializer(), new CoapParser())
            .build();
    endpoint.setExecutors(new LoopExecutor(loop), timers);
  }

  CoapEndpoint endpoint() {
    return endpoint;
  }

  void stop() {
    endpoint.destroy();
    ExecutorsUtil.shutdownExecutorGracefully(TIMERS_STOP_MILLIS, timers);
  }

  private record StackFactory(Transfers transfers, MessageExchangeStore exchanges)
      implements ExtendedCoapStackFactory {

    @Override
    public CoapStack createCoapStack(
        String protocol,
        String tag,
        Configuration settings,
        EndpointContextMatcher matcher,
        Outbox outbox,
        Object argument) {
      return new Stack(tag, settings, matcher, outbox, this);
    }

    /** Californium asks the other method. */
    @Override
    @Deprecated
    public CoapStack createCoapStack(
        String protocol, String tag, Configuration settings, Outbox outbox, Object argument) {
      return new Stack(tag, settings, null, outbox, this);
    }
  }

  /**
   * Californium's stack for UDP, with {@link Transfers} in the place of its layer for block-wise
   * transfer, and {@code Observers} in that of its layer for observing.
   */
  private static final class Stack extends BaseCoapStack {
    Stack(
        String tag,
        Configuration settings,
        EndpointContextMatcher matcher,
        Outbox outbox,
        StackFactory parts) {
      super(outbox);
      setLayers(
          new Layer[] {
            new ExchangeCleanupLayer(settings),
            new Blocks(),
            parts.transfers().layer(),
            CongestionControlLayer.newImplementation(tag, settings),
            NotificationExchange.layer(parts.exchanges())
          });
    }
  }
}
