package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.harness.Eventually;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;
import org.eclipse.californium.core.CoapClient;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.config.UdpConfig;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A {@link PlayedFunction} behind the packaged gateway, by real handlers on a Unix socket and on
 * TCP, and by some that are none; a {@link HeldFunction}, by a handler that {@code held} and {@code
 * hasty} share, and a device that speaks CoAP. Started once for all tests that use it, by the first
 * in which it is registered.
 */
final class CoapFunctions implements BeforeAllCallback, AutoCloseable {

  static final CoapFunctions STARTED_ONCE = new CoapFunctions();
  static final int MAX_BODY = 1 << 20;

  /** Of {@code hasty}. */
  static final Duration HASTY = Duration.ofSeconds(1);

  private static final long FUNCTION_TIMEOUT = Eventually.patient(Duration.ofMinutes(1)).toMillis();
  private static final Exposure FOR_DEVICES = new Exposure(Access.DEVICE, Observable.NO, Map.of());

  private final HeldFunction held = new HeldFunction();
  private Path folder;
  private ServedGateway system;
  private TestHandler tcp;
  private TestHandler holding;
  private NetServer garbage;

  /** A port at which nobody listens, as long as this has it. */
  private Socket unheard;

  private CoapEndpoint device;

  private CoapFunctions() {}

  @Override
  public void beforeAll(ExtensionContext context) {
    context
        .getRoot()
        .getStore(ExtensionContext.Namespace.GLOBAL)
        .computeIfAbsent(CoapFunctions.class, _ -> start());
  }

  private CoapFunctions start() {
    try {
      folder = Files.createTempDirectory("tinyfaas-coap");
      CoapConfig.register();
      UdpConfig.register();
      Configuration.setStandard(Configuration.createStandardWithoutFile());
      system = new ServedGateway(folder, Map.of(), PlayedFunction::answer);
      tcp = new TestHandler(system.vertx(), PlayedFunction::answer);
      system.process().healthPort(); // it has started, which takes longest on a busy machine
      holding = new TestHandler(system.vertx(), held::answer);
      garbage =
          system
              .vertx()
              .createNetServer()
              .connectHandler(
                  socket -> socket.handler(any -> socket.end(Buffer.buffer("nonsense\r\n\r\n"))));
      garbage.listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().join();
      Handler unix = system.handler();
      unheard = new Socket(Proxy.NO_PROXY);
      unheard.bind(new InetSocketAddress("127.0.0.1", 0));
      Handler refusing =
          new Handler("refusing", new HandlerEndpoint.Tcp("127.0.0.1", unheard.getLocalPort()));
      Handler noSocket = new Handler("no-socket", new HandlerEndpoint.Unix("f/none.sock"));
      Handler talkingNonsense =
          new Handler("nonsense", new HandlerEndpoint.Tcp("127.0.0.1", garbage.actualPort()));
      system.serve(
          PlayedManager.route("unix", FUNCTION_TIMEOUT, unix),
          PlayedManager.route("tcp", FUNCTION_TIMEOUT, tcp.handler()),
          PlayedManager.route("held", FUNCTION_TIMEOUT, holding.handler()),
          PlayedManager.route("hasty", HASTY.toMillis(), holding.handler()),
          PlayedManager.route("empty", FUNCTION_TIMEOUT),
          PlayedManager.route("locked", FUNCTION_TIMEOUT, FOR_DEVICES, unix),
          PlayedManager.route("dead", FUNCTION_TIMEOUT, noSocket),
          PlayedManager.route("half", FUNCTION_TIMEOUT, refusing, unix, noSocket),
          PlayedManager.route("garbage", FUNCTION_TIMEOUT, talkingNonsense));
      Configuration settings =
          Configuration.createStandardWithoutFile()
              .set(CoapConfig.MAX_RESOURCE_BODY_SIZE, 2 * MAX_BODY)
              .set(CoapConfig.PREFERRED_BLOCK_SIZE, 1024)
              .set(CoapConfig.BLOCKWISE_ENTITY_TOO_LARGE_AUTO_FAILOVER, false)
              .set(UdpConfig.UDP_RECEIVE_BUFFER_SIZE, 1 << 20);
      device = CoapEndpoint.builder().setConfiguration(settings).setPort(0).build();
      device.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  @Override
  public void close() throws IOException {
    device.destroy();
    held.release();
    holding.close();
    tcp.close();
    system.close();
    unheard.close();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  GatewayProcess gateway() {
    return system.process();
  }

  /** How often the function on a Unix socket has been run. */
  int runs() {
    return system.runs();
  }

  HeldFunction held() {
    return held;
  }

  /** How often the function that holds its calls has been run. */
  int heldRuns() {
    return holding.runs();
  }

  /** The connections that its handler has. */
  int heldConnections() {
    return holding.connections();
  }

  int devicePort() {
    return device.getAddress().getPort();
  }

  String uri(String path) {
    return "coap://127.0.0.1:" + gateway().coapPort() + "/" + path;
  }

  private CoapClient client(String path) {
    CoapClient client = new CoapClient(uri(path));
    client.setEndpoint(device);
    client.setTimeout(Eventually.patient(Duration.ofMinutes(1)).toMillis());
    return client;
  }

  CoapResponse send(Code code, String path, byte[] body) {
    Request request = new Request(code);
    if (body.length > 0) {
      if (!request.isIntendedPayload()) {
        request.setUnintendedPayload();
      }
      request.setPayload(body);
    }
    try {
      CoapResponse response = client(path).advanced(request);
      assertThat(response).as(code + " " + path).isNotNull();
      return response;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  CoapResponse get(String path) {
    return send(Code.GET, path, new byte[0]);
  }

  static String code(CoapResponse response) {
    return response.getCode().text;
  }

  CoapResponse advanced(String path, Request request) {
    try {
      return client(path).advanced(request);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
