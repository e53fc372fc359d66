package io.tinyfaas.gateway.ingress.coap;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.core.network.ExtendedCoapStackFactory;
import org.eclipse.californium.core.network.InMemoryMessageExchangeStore;
import org.eclipse.californium.core.network.Outbox;
import org.eclipse.californium.core.network.RandomTokenGenerator;
import org.eclipse.californium.core.network.TokenGenerator;
import org.eclipse.californium.core.network.serialization.UdpDataSerializer;
import org.eclipse.californium.core.network.stack.BaseCoapStack;
import org.eclipse.californium.core.network.stack.BlockwiseLayer;
import org.eclipse.californium.core.network.stack.CoapStack;
import org.eclipse.californium.core.network.stack.CongestionControlLayer;
import org.eclipse.californium.core.network.stack.ExchangeCleanupLayer;
import org.eclipse.californium.core.network.stack.Layer;
import org.eclipse.californium.core.network.stack.ObserveLayer;
import org.eclipse.californium.elements.EndpointContextMatcher;
import org.eclipse.californium.elements.RawDataChannel;
import org.eclipse.californium.elements.UDPConnector;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.config.UdpConfig;
import org.eclipse.californium.elements.util.ExecutorsUtil;
import org.eclipse.californium.elements.util.NamedThreadFactory;

/**
 * Californium put together so that its memory is bounded, whatever comes by UDP: the datagrams that
 * wait, the messages that are remembered, and the transfers that are not finished.
 */
final class CoapTransport {

  private static final int THREADS_STOP_MILLIS = 1_000;

  /** One block and one datagram: fits the IPv6 minimum MTU (RFC 7252, 4.6). */
  static final int BLOCK_BYTES = 1_024;

  /** The kernel drops datagrams from about 256 devices on with its own default. */
  private static final int RECEIVE_BUFFER_BYTES = 4 * 1_024 * 1_024;

  /** Beyond it datagrams are dropped, as a full socket would; devices send again. */
  private static final int MAX_BACKLOG = 4_096;

  /** A fifth of the heap for messages remembered as possible duplicates, 2 KB each. */
  private static final long DEDUPLICATION_HEAP_FRACTION = 5;

  private static final long MESSAGE_BYTES = 2_048;

  private final ProtocolThreads threads;
  private final ScheduledThreadPoolExecutor timers;
  private final CoapEndpoint endpoint;

  CoapTransport(InetSocketAddress address, int maxBody, Transfers transfers) {
    CoapConfig.register();
    UdpConfig.register();
    Configuration settings =
        Configuration.createStandardWithoutFile()
            .set(CoapConfig.MAX_RESOURCE_BODY_SIZE, maxBody)
            .set(CoapConfig.PREFERRED_BLOCK_SIZE, BLOCK_BYTES)
            .set(CoapConfig.MAX_MESSAGE_SIZE, BLOCK_BYTES)
            .set(CoapConfig.BLOCKWISE_STATUS_LIFETIME, Transfers.LIFETIME_SECONDS, TimeUnit.SECONDS)
            .set(CoapConfig.USE_MESSAGE_OFFLOADING, true)
            .set(UdpConfig.UDP_RECEIVE_BUFFER_SIZE, RECEIVE_BUFFER_BYTES)
            .set(UdpConfig.UDP_RECEIVER_THREAD_COUNT, 1)
            .set(UdpConfig.UDP_SENDER_THREAD_COUNT, 1);
    threads = new ProtocolThreads(settings.get(CoapConfig.PROTOCOL_STAGE_THREAD_COUNT));
    timers = ExecutorsUtil.newDefaultSecondaryScheduler("coap-timer-");
    TokenGenerator tokens = new RandomTokenGenerator(settings);
    InMemoryMessageExchangeStore exchanges = new InMemoryMessageExchangeStore(settings, tokens);
    long remembered =
        Runtime.getRuntime().maxMemory() / DEDUPLICATION_HEAP_FRACTION / MESSAGE_BYTES;
    exchanges.setDeduplicator(new BoundedDeduplicator(Math.toIntExact(remembered)));
    endpoint =
        CoapEndpoint.builder()
            .setConfiguration(settings)
            .setConnector(new BoundedConnector(address, settings, threads))
            .setTokenGenerator(tokens)
            .setMessageExchangeStore(exchanges)
            .setCoapStackFactory(new StackFactory(transfers))
            .setDataSerializerAndParser(new UdpDataSerializer(), new CoapParser())
            .build();
    endpoint.setExecutors(threads, timers);
  }

  CoapEndpoint endpoint() {
    return endpoint;
  }

  void stop() {
    endpoint.destroy();
    ExecutorsUtil.shutdownExecutorGracefully(THREADS_STOP_MILLIS, threads, timers);
  }

  private static final class BoundedConnector extends UDPConnector {

    private final ProtocolThreads threads;

    BoundedConnector(InetSocketAddress address, Configuration settings, ProtocolThreads threads) {
      super(address, settings);
      this.threads = threads;
    }

    @Override
    public void setRawDataReceiver(RawDataChannel receiver) {
      super.setRawDataReceiver(
          datagram -> {
            if (threads.backlog() < MAX_BACKLOG) {
              receiver.receiveData(datagram);
            }
          });
    }
  }

  /** Tasks run in their order from a queue that can be looked at; few are really scheduled. */
  private static final class ProtocolThreads extends ScheduledThreadPoolExecutor {

    private final ThreadPoolExecutor direct;

    ProtocolThreads(int count) {
      super(1, new NamedThreadFactory("coap-schedule-"));
      setRemoveOnCancelPolicy(true);
      direct =
          new ThreadPoolExecutor(
              count,
              count,
              0,
              TimeUnit.SECONDS,
              new LinkedBlockingQueue<>(),
              new NamedThreadFactory("coap-"));
    }

    int backlog() {
      return direct.getQueue().size();
    }

    @Override
    public void execute(Runnable task) {
      direct.execute(task);
    }

    @Override
    public void shutdown() {
      direct.shutdown();
      super.shutdown();
    }

    @Override
    public List<Runnable> shutdownNow() {
      direct.shutdownNow();
      return super.shutdownNow();
    }
  }

  private record StackFactory(Transfers transfers) implements ExtendedCoapStackFactory {

    @Override
    public CoapStack createCoapStack(
        String protocol,
        String tag,
        Configuration settings,
        EndpointContextMatcher matcher,
        Outbox outbox,
        Object argument) {
      return new Stack(tag, settings, matcher, outbox, transfers);
    }

    /** Californium asks the other method. */
    @Override
    @Deprecated
    public CoapStack createCoapStack(
        String protocol, String tag, Configuration settings, Outbox outbox, Object argument) {
      return new Stack(tag, settings, null, outbox, transfers);
    }
  }

  /** Californium's stack for UDP, with the two layers of {@link Transfers}. */
  private static final class Stack extends BaseCoapStack {
    Stack(
        String tag,
        Configuration settings,
        EndpointContextMatcher matcher,
        Outbox outbox,
        Transfers transfers) {
      super(outbox);
      setLayers(
          new Layer[] {
            new ExchangeCleanupLayer(settings),
            new ObserveLayer(settings),
            transfers.aboveBlockwise(),
            new BlockwiseLayer(tag, false, settings, matcher),
            transfers.belowBlockwise(),
            CongestionControlLayer.newImplementation(tag, settings)
          });
    }
  }
}
