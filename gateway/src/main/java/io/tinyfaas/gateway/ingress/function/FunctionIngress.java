package io.tinyfaas.gateway.ingress.function;

import io.micrometer.core.instrument.MeterRegistry;
import io.tinyfaas.gateway.ingress.Ingress;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.ingress.http.HttpExchanges;
import io.tinyfaas.gateway.ingress.http.HttpServing;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.HeapBudget;
import io.tinyfaas.gateway.memory.PeerHolders;
import io.tinyfaas.gateway.route.CurrentRoutes;
import io.tinyfaas.gateway.route.RouteListener;
import io.tinyfaas.gateway.route.RoutedFunction;
import io.tinyfaas.gateway.route.RoutedHandler;
import io.vertx.core.Future;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;

/**
 * Functions that call functions: a socket for each handler that may, while it is routed and until
 * it has answered its last invocation.
 */
@Singleton
final class FunctionIngress implements Ingress, RouteListener {

  private static final Logger LOG = Logger.getLogger(FunctionIngress.class);

  /** As many as invocations of it that each wait for another, where none shares a connection. */
  private static final int CONNECTIONS_OF_HANDLER = 64;

  /** For sockets in memory; then it is routed without those that are missing. */
  private static final long OPEN_SECONDS = 5;

  private final InvocationLoop loop;
  private final Path folder;
  private final HttpServing serving;
  private final PeerHolders holders;
  private final HttpExchanges exchanges;
  private final AtomicInteger listening = new AtomicInteger();
  private volatile boolean started;

  /** On the loop. */
  private final Map<RoutedHandler, FunctionSocket> sockets = new HashMap<>();

  FunctionIngress(
      InvocationLoop loop,
      FunctionSocketSettings settings,
      HttpServing serving,
      PeerHolders holders,
      CurrentRoutes routes,
      MeterRegistry registry) {
    this.loop = loop;
    this.folder = settings.callSockets();
    this.serving = serving;
    this.holders = holders;
    this.exchanges = serving.exchanges(HeapBudget.FUNCTION_CONNECTIONS, CONNECTIONS_OF_HANDLER);
    registry.gauge("tinyfaas.function.connections", exchanges, HttpExchanges::connections);
    registry.gauge("tinyfaas.function.sockets", listening);
    routes.addListener(this);
  }

  @Override
  public Protocol protocol() {
    return Protocol.FUNCTION;
  }

  @Override
  public boolean isEnabled() {
    return true;
  }

  @Override
  public void start() {
    loop.context().runOnContext(now -> serving.sweep(exchanges, this::sweep));
    started = true;
  }

  @Override
  public boolean isBound() {
    return started;
  }

  @Override
  public int port() {
    return NO_PORT;
  }

  /** What is running may wait for what it asks for: that is done until all of it has ended. */
  @Override
  public void refuseNew() {
    exchanges.refuseNew();
  }

  @Override
  public int waiting() {
    return exchanges.waiting();
  }

  @Override
  public void stop() {
    CompletableFuture.runAsync(
            () -> sockets.values().forEach(FunctionSocket::close),
            task -> loop.context().runOnContext(now -> task.run()))
        .join();
  }

  /** A handler is not asked anything before it can ask itself. */
  @Override
  public void onTableComing(Collection<RoutedFunction> functions) {
    if (functions.stream().noneMatch(RoutedFunction::mayCall) && listening.get() == 0) {
      return;
    }
    CompletableFuture<Void> opened = new CompletableFuture<>();
    loop.context()
        .runOnContext(
            now ->
                Future.join(functions.stream().flatMap(f -> open(f).stream()).toList())
                    .onComplete(all -> opened.complete(null)));
    try {
      opened.orTimeout(OPEN_SECONDS, TimeUnit.SECONDS).join();
    } catch (CompletionException e) {
      LOG.warnf("event=function-socket outcome=late seconds=%d", OPEN_SECONDS);
    }
  }

  private List<Future<Void>> open(RoutedFunction function) {
    List<Future<Void>> opening = new ArrayList<>();
    for (RoutedHandler handler : function.handlers()) {
      FunctionSocket socket =
          function.mayCall()
              ? sockets.computeIfAbsent(handler, its -> socket(function, its))
              : sockets.get(handler);
      if (socket != null) {
        socket.peer().routedBy(function.route());
        socket.stay();
        opening.add(open(socket));
      }
    }
    return opening;
  }

  private FunctionSocket socket(RoutedFunction function, RoutedHandler handler) {
    return new FunctionSocket(
        new CallingHandler(holders, handler, function.route()),
        folder,
        function.route(),
        handler.handler());
  }

  private Future<Void> open(FunctionSocket socket) {
    return socket.open(serving, exchanges).onComplete(tried -> count());
  }

  private void count() {
    listening.set((int) sockets.values().stream().filter(FunctionSocket::isListening).count());
  }

  @Override
  public void onHandlerIdle(RoutedHandler handler) {
    loop.context()
        .runOnContext(
            now -> {
              FunctionSocket socket = sockets.get(handler);
              if (socket != null) {
                socket.leave();
                closeIfIdle(handler, socket);
              }
            });
  }

  /** What is asked for by a handler that answers nothing any more is done, too. */
  private void closeIfIdle(RoutedHandler handler, FunctionSocket socket) {
    if (!exchanges.isBusy(socket.peer())) {
      sockets.remove(handler);
      socket.close();
      count();
    }
  }

  private void sweep() {
    for (Map.Entry<RoutedHandler, FunctionSocket> each : List.copyOf(sockets.entrySet())) {
      FunctionSocket socket = each.getValue();
      if (socket.isLeaving()) {
        closeIfIdle(each.getKey(), socket);
      } else if (!socket.isListening()) {
        open(socket);
      } else {
        socket.closeIfLost();
      }
    }
  }
}
