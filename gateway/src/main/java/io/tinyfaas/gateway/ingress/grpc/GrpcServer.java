package io.tinyfaas.gateway.ingress.grpc;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionService;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.tinyfaas.gateway.call.Calls;
import io.tinyfaas.gateway.invoke.Invoker;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.tinyfaas.gateway.metrics.InvocationMetrics;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import io.vertx.core.buffer.impl.VertxByteBufAllocator;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

/**
 * The server of grpc-java, on the {@link InvocationLoop}: the service, health ({@code
 * grpc.health.v1}), which is that of a gateway that has a route table, and reflection.
 */
@Singleton
final class GrpcServer implements RouteListener {

  private static final int MAX_METADATA_BYTES = 8 * 1024;

  /** What a message has beside its data: the function's name, tags and lengths. */
  private static final int MESSAGE_BYTES = 1024;

  private static final int WINDOW_BYTES = 256 * 1024;
  private static final int MAX_CALLS_PER_CONNECTION = 100;

  /** A client that takes back more of its calls is none (CVE-2023-44487). */
  private static final int MAX_RESETS = 500;

  private static final int RESETS_SECONDS = 10;

  /** How long a client may be silent on the wire, and how often it may ask. */
  private static final int KEEP_ALIVE_SECONDS = 30;

  private static final int PING_SECONDS = 10;
  private static final long STOP_SECONDS = 1;

  private final HealthStatusManager health = new HealthStatusManager();
  private final EventLoop eventLoop;
  private final CurrentRoutes routes;
  private final GrpcCalls calls;
  private final Server server;
  private boolean serving;

  GrpcServer(
      HeapSettings heap,
      GrpcSettings settings,
      InvocationLoop loop,
      Invoker invoker,
      Calls accepted,
      InvocationMetrics metrics,
      CurrentRoutes routes,
      BodyMemory memory,
      PeerHolders peers) {
    this.routes = routes;
    eventLoop = loop.context().nettyEventLoop();
    calls = new GrpcCalls(settings, loop.context(), invoker, accepted, metrics, memory);
    CallMemory.Factory each = new CallMemory.Factory(memory);
    SmallCalls small = new SmallCalls(eventLoop, settings.receiveTimeout());
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(settings.host(), settings.port()))
            .channelFactory(
                new BoundedAcceptor(
                    new BoundedAcceptor.Bounds(
                        heap.grpc().maxConnections(),
                        MAX_CALLS_PER_CONNECTION,
                        settings.handshakeTimeout()),
                    each,
                    memory,
                    peers))
            .bossEventLoopGroup(eventLoop)
            .workerEventLoopGroup(eventLoop)
            .withChildOption(ChannelOption.ALLOCATOR, VertxByteBufAllocator.POOLED_ALLOCATOR)
            .directExecutor()
            .maxInboundMessageSize(Math.toIntExact(heap.maxBody().asLongValue()) + MESSAGE_BYTES)
            .maxInboundMetadataSize(MAX_METADATA_BYTES)
            .maxConcurrentCallsPerConnection(MAX_CALLS_PER_CONNECTION)
            .maxRstFramesPerWindow(MAX_RESETS, RESETS_SECONDS)
            .flowControlWindow(WINDOW_BYTES)
            .handshakeTimeout(settings.handshakeTimeout().toMillis(), TimeUnit.MILLISECONDS)
            .maxConnectionIdle(settings.idleTimeout().toMillis(), TimeUnit.MILLISECONDS)
            .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
            .permitKeepAliveTime(PING_SECONDS, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .addStreamTracerFactory(each)
            .addService(
                ServerServiceDefinition.builder(GrpcMessages.SERVICE)
                    .addMethod(GrpcMessages.REQUEST, calls)
                    .build())
            .addService(small.of(health.getHealthService()))
            .addService(small.of(ProtoReflectionServiceV1.newInstance()))
            .addService(small.of(earlierReflection()))
            .build();
    report(ServingStatus.NOT_SERVING);
    routes.addListener(this);
    onTableApplied(); // one may have come before
  }

  /** On any thread. */
  @Override
  public void onTableApplied() {
    eventLoop.execute(
        () -> {
          if (!serving && routes.areKnown()) {
            serving = true;
            report(ServingStatus.SERVING);
          }
        });
  }

  private void report(ServingStatus status) {
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
    health.setStatus(GrpcMessages.SERVICE.getName(), status);
  }

  /** grpcurl and others still ask for v1alpha first. */
  @SuppressWarnings("deprecation")
  private static BindableService earlierReflection() {
    return ProtoReflectionService.newInstance();
  }

  void start() throws IOException {
    server.start();
  }

  int port() {
    return server.getPort();
  }

  /** Clients are told to open another connection, elsewhere. */
  void refuseNew() {
    health.enterTerminalState();
    server.shutdown();
  }

  int waiting() {
    return calls.sending();
  }

  void stop() {
    server.shutdownNow();
    try {
      server.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
