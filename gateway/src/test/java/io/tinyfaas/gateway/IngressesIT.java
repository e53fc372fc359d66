package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ingresses that are stopped, and some that are off. */
@Tag("slow")
class IngressesIT {

  private static final String ECHO = "GET /f/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

  /** To an address of this box that is one still. */
  private static final Duration CONNECT = Duration.ofMillis(500);

  @TempDir Path folder;
  private final List<HttpServerRequest> held = new CopyOnWriteArrayList<>();
  private ServedGateway system;
  private GatewayProcess gateway;

  private void start(Map<String, String> environment) {
    system = new ServedGateway(folder, environment, this::function);
    gateway = system.process();
    system.serve(PlayedManager.route("f", 600_000, system.handler()));
  }

  @AfterEach
  void remove() {
    system.close();
  }

  private void function(HttpServerRequest request, Buffer body) {
    if (request.getHeader("X-tinyFaaS-Path").equals("/hold")) {
      held.add(request);
    } else {
      request.response().end("served");
    }
  }

  private RawHttp connect() throws IOException {
    return new RawHttp(gateway.httpPort());
  }

  private String ask(InetAddress address) throws IOException {
    try (RawHttp raw = new RawHttp(address, gateway.httpPort())) {
      return raw.send(ECHO).readAll();
    }
  }

  private String ask() throws IOException {
    try (RawHttp raw = connect()) {
      return raw.send(ECHO).readAll();
    }
  }

  /**
   * Those of one link, too, which only have a meaning together with an interface. Asked for are
   * those that an ordinary server is reached at: a bridge that no container is connected to any
   * more keeps an address that nothing reaches.
   */
  @Test
  void shouldServeHttpAtEachAddress() throws IOException {
    start(Map.of("TINYFAAS_HTTP_HOST", "::"));
    // Containers come and go meanwhile, and addresses with them.
    List<InetAddress> addresses =
        eventually()
            .ignoreExceptionsInstanceOf(IOException.class)
            .until(IngressesIT::addresses, found -> !found.isEmpty());
    List<InetAddress> asked = new CopyOnWriteArrayList<>();
    for (InetAddress address : addresses) {
      eventually()
          .alias("an answer at " + address)
          .ignoreExceptionsInstanceOf(IOException.class)
          .until(() -> !isReachable(address) || isServed(address) && asked.add(address));
    }
    assertThat(asked).contains(InetAddress.getLoopbackAddress(), InetAddress.getByName("::1"));
  }

  private static List<InetAddress> addresses() throws IOException {
    return NetworkInterface.networkInterfaces().flatMap(NetworkInterface::inetAddresses).toList();
  }

  private static boolean isReachable(InetAddress address) {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("::"));
        Socket client = new Socket(Proxy.NO_PROXY)) {
      client.connect(
          new InetSocketAddress(address, server.getLocalPort()), (int) patient(CONNECT).toMillis());
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private boolean isServed(InetAddress address) throws IOException {
    return ask(address).contains("200 OK");
  }

  @Test
  void shouldFinishWhatRunsAndRefuseWhatComesWhenItStops() throws IOException {
    start(Map.of("TINYFAAS_STOP_TIMEOUT", "10m", "TINYFAAS_HTTP_HEADER_TIMEOUT", "10m"));
    try (RawHttp running = connect();
        RawHttp waiting = connect()) {
      running.send("GET /f/hold HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      eventually().until(() -> held.size() == 1);
      try (RawHttp async = connect()) {
        async.send(
            "GET /f/hold HTTP/1.1\r\nHost: x\r\nX-tinyFaaS-Async: 1\r\nConnection: close\r\n\r\n");
        assertThat(async.readAll()).startsWith("HTTP/1.1 202 Accepted");
      }
      eventually().until(() -> held.size() == 2);
      gateway.terminate();
      eventually()
          .untilAsserted(() -> assertThat(ask()).startsWith("HTTP/1.1 503").contains("stopping"));
      waiting.send(ECHO);
      assertThat(waiting.readAll()).startsWith("HTTP/1.1 503").contains("connection: close");
      held.getFirst().response().end("done");
      assertThat(running.readAll()).endsWith("done");
      held.getLast().response().end("done");
      assertThat(gateway.awaitExit()).isEqualTo(143);
      assertThat(gateway.log()).anyMatch(line -> line.contains("event=stopped unfinished=0"));
    }
  }

  @Test
  void shouldSwitchProtocolsOff() {
    start(Map.of("HTTP_PORT", "-1", "GRPC_PORT", "-1"));

    assertThat(gateway.coapPort()).isPositive(); // it has started
    assertThat(gateway.log()).anyMatch(line -> line.contains("http=off grpc=off"));
    assertThat(gateway.get("/q/health/ready").body()).contains("\"http\": false");
    assertThat(gateway.get("/q/health/ready").statusCode()).isEqualTo(200);
    assertThat(gateway.loadedClasses("io.grpc.internal.")).isEmpty();
    assertThat(gateway.loadedClasses("com.google.protobuf.")).isEmpty();
  }
}
