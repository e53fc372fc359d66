package io.tinyfaas.gateway;

import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.harness.Broker;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;

/** The packaged gateway with all that an invocation needs: a broker, a manager and a handler. */
final class ServedGateway implements AutoCloseable {

  private final Path folder;
  private final BiConsumer<HttpServerRequest, Buffer> function;
  private final Vertx vertx;
  private final Broker broker;
  private final Map<String, String> environment;
  private final String heap;
  private volatile GatewayProcess process;
  private final PlayedManager manager;
  private TestHandler handler;

  /**
   * @param folder of the handler's socket
   * @param environment of the gateway
   * @param function what the handler answers
   */
  ServedGateway(
      Path folder,
      Map<String, String> environment,
      BiConsumer<HttpServerRequest, Buffer> function) {
    this(folder, environment, "90m", function);
  }

  /**
   * @param heap of the gateway, as in {@code -Xmx}
   */
  ServedGateway(
      Path folder,
      Map<String, String> environment,
      String heap,
      BiConsumer<HttpServerRequest, Buffer> function) {
    this.folder = folder;
    this.function = function;
    this.environment = environment;
    this.heap = heap;
    vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
    broker = new Broker().start();
    process = new GatewayProcess(broker, folder, environment, heap);
    manager = new PlayedManager(vertx, broker);
    handler = new TestHandler(vertx, folder, function);
  }

  /** Returns when the gateway routes by these. */
  ServedGateway serve(Route... routes) {
    try {
      manager.apply(1, 1, routes);
      return this;
    } catch (RuntimeException | Error e) {
      close(); // whoever calls this while a class is prepared has nothing to close yet
      throw e;
    }
  }

  /**
   * Routes to {@code f}, to {@code slow}, which has 200 ms, to {@code gone}, whose handler is not
   * there, and to {@code none}, which has no handler.
   */
  ServedGateway serveGoodAndBad() {
    Handler gone = new Handler("gone", new HandlerEndpoint.Unix("f/gone.sock"));
    return serve(
        PlayedManager.route("f", 120_000, handler()),
        PlayedManager.route("slow", 200, handler()),
        PlayedManager.route("gone", 120_000, gone),
        PlayedManager.route("none", 120_000));
  }

  Vertx vertx() {
    return vertx;
  }

  Broker broker() {
    return broker;
  }

  GatewayProcess process() {
    return process;
  }

  /** Another gateway with the same settings and folders, where the one before has ended. */
  void startAgain() {
    process.close();
    process = new GatewayProcess(broker, folder, environment, heap);
  }

  PlayedManager manager() {
    return manager;
  }

  /** As routes have it. */
  Handler handler() {
    return handler.handler();
  }

  /** What a function got, a line each, sorted. */
  static String headers(HttpServerRequest request) {
    return request.headers().entries().stream()
        .map(header -> header.getKey().toLowerCase(Locale.ROOT) + ": " + header.getValue())
        .sorted()
        .collect(Collectors.joining("\n"));
  }

  /** How often the function has been run. */
  int runs() {
    return handler.runs();
  }

  /** The connections that the handler has. */
  int connections() {
    return handler.connections();
  }

  void stopHandler() {
    handler.close();
  }

  /** At the place of the one that was stopped. */
  void startHandler() {
    handler = new TestHandler(vertx, folder, handler.handler(), function);
  }

  @Override
  public void close() {
    process.close();
    manager.close();
    handler.close();
    broker.close();
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }
}
