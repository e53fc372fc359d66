package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.DtlsGateway.KEY;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.device.Device;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.gateway.memory.HeapBudget;
import io.tinyfaas.gateway.memory.HeapBudget.Share;
import io.tinyfaas.gateway.memory.HeapSettings;
import io.tinyfaas.harness.flood.RawGrpc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

/** That things cost what {@link HeapBudget} says: what lives on after a collection, counted. */
@TestInstance(Lifecycle.PER_CLASS)
class HeapCostIT {

  private static final Exposure OBSERVABLE =
      new Exposure(Access.ANY, Observable.FUNCTION, Map.of());
  private static final int MANY = 300;

  /** Of the request that makes something, which is remembered: it has a share of its own. */
  private static final int REQUEST_BYTES = 3 * 1_024;

  private static final int OBSERVERS_OF_ONE = 25;

  private final HeapBudget budget =
      new HeapBudget(80L << 20, Settings.with(HeapSettings.class, "tinyfaas.max-body", "1M"));
  private DtlsGateway gateway;
  private Path folder;
  private long tables = 1;

  @BeforeAll
  void start(@TempDir Path folder) throws Exception {
    this.folder = folder;
    gateway = new DtlsGateway(folder);
    registerMany(1);
    useEachProtocol();
  }

  /** What is made once, at the first request, is no matter of what is counted here. */
  private void useEachProtocol() throws IOException {
    ask("any");
    try (RawHttp http = new RawHttp(gateway.process().httpPort())) {
      http.send("GET /any HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").readAll();
    }
    try (GrpcCalls grpc = new GrpcCalls(gateway.process().grpcPort());
        DtlsDevice device = gateway.device("device-0", KEY)) {
      grpc.ask("any", "x");
      device.get("any");
    }
    live();
  }

  @AfterAll
  void stop() {
    gateway.close();
  }

  private long live() {
    return gateway.process().liveHeap();
  }

  private Share share(String name) {
    return budget.shares().stream().filter(s -> s.name().equals(name)).findFirst().orElseThrow();
  }

  private long each(String share) {
    return share(share).each();
  }

  private void ask(String function) throws IOException {
    try (CoapPeer device = new CoapPeer(gateway.process().coapPort())) {
      device.answer(CoapPeer.request("CON", 1, 1, function));
    }
  }

  private void registerMany(int count) {
    gateway.registerOnly(
        IntStream.range(0, count)
            .mapToObj(i -> DtlsGateway.withKey("device-" + i, KEY))
            .toArray(Device[]::new));
  }

  @Test
  void shouldItselfTakeNoMoreThanItSays() {
    assertThat(live()).isLessThan(each("the gateway itself") + budget.remembered());
  }

  /** Each in the middle of a request. */
  @Test
  void shouldTakeNoMoreForAnHttpConnectionThanItSays() throws IOException {
    List<RawHttp> all = new ArrayList<>();
    long before = live();
    try {
      for (int i = 0; i < MANY; i++) {
        RawHttp connection = new RawHttp(gateway.process().httpPort());
        all.add(connection);
        connection.send("GET /any HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        while (!connection.readLine().isBlank()) {
          // the head of the answer
        }
        connection.send(
            "POST /any HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
        while (!connection.readLine().contains("100")) {
          // the rest of the answer
        }
      }
      assertThat((live() - before) / MANY).isLessThan(each("HTTP connections"));
    } finally {
      for (RawHttp connection : all) {
        connection.close();
      }
    }
  }

  /** Its table of header fields, which the client may fill, is as large again and more. */
  @Test
  void shouldTakeNoMoreForAGrpcConnectionThanItSays() throws IOException {
    List<RawGrpc> all = new ArrayList<>();
    long before = live();
    int many = 150;
    try {
      for (int i = 0; i < many; i++) {
        all.add(new RawGrpc(gateway.process().grpcPort(), 65_535));
        all.getLast().next(RawGrpc.SETTINGS);
      }
      assertThat((live() - before) / many).isLessThan(each("gRPC connections") / 2);
    } finally {
      for (RawGrpc connection : all) {
        connection.close();
      }
    }
  }

  @Test
  void shouldTakeNoMoreForADeviceAndASessionThanItSays() {
    List<DtlsDevice> all = new ArrayList<>();
    registerMany(1);
    long none = live();
    registerMany(10 * MANY);
    long before = live();
    assertThat((before - none) / (10 * MANY)).isLessThan(each("devices"));
    int many = 100;
    try {
      for (int i = 0; i < many; i++) {
        all.add(gateway.device("device-" + i, KEY));
        assertThat(all.getLast().get("nobody")).startsWith("4.04");
      }
      assertThat((live() - before) / many).isLessThan(each("DTLS sessions") + REQUEST_BYTES);
    } finally {
      all.forEach(DtlsDevice::close);
      registerMany(1);
    }
  }

  /** Each with an idempotency key. */
  @Test
  void shouldTakeNoMoreForACallThanItSays() throws IOException {
    int many = 2_000;
    try (RawHttp http = new RawHttp(gateway.process().httpPort())) {
      accept(http, 0);
      long before = live();
      for (int i = 1; i <= many; i++) {
        accept(http, i);
      }
      assertThat((live() - before) / many).isLessThan(each("calls"));
    }
  }

  private static void accept(RawHttp http, int number) throws IOException {
    http.send(
        "POST /any HTTP/1.1\r\nHost: x\r\nPrefer: respond-async\r\nX-tinyFaaS-Delay: 1h\r\n"
            + "Idempotency-Key: key-"
            + number
            + "\r\nContent-Length: 0\r\n\r\n");
    assertThat(http.readLine()).contains(" 202 ");
    while (!http.readLine().isBlank()) {
      // the rest of the head
    }
  }

  /** Each with a socket by which its function calls others, beside what a function takes. */
  @Test
  void shouldTakeNoMoreForAHandlerThatCallsThanItSays() throws IOException {
    Handler handler = gateway.handler();
    gateway.manager().apply(1, ++tables, PlayedManager.route("any", 60_000, handler));
    long none = live();
    List<Route> routes = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      Files.createDirectories(folder.resolve("s/c" + i + "/h" + i));
      routes.add(
          PlayedManager.calling(
              "c" + i, 60_000, List.of("any"), new Handler("h" + i, handler.endpoint())));
    }
    gateway.manager().apply(1, ++tables, routes.toArray(Route[]::new));
    assertThat(gateway.process().get("/q/metrics").body())
        .contains("tinyfaas_function_sockets " + MANY + ".0");
    assertThat((live() - none) / MANY)
        .isLessThan(each("functions") + HeapBudget.CALLING_HANDLER_BYTES);
    gateway.manager().apply(1, ++tables, PlayedManager.route("any", 60_000, handler));
  }

  /** Each on a connection of its own, which has its share. */
  @Test
  void shouldTakeNoMoreForAnEventStreamThanItSays() throws IOException {
    Route route = PlayedManager.route("observed", 60_000, OBSERVABLE, gateway.handler());
    gateway.manager().apply(1, ++tables, route);
    List<RawHttp> all = new ArrayList<>();
    int many = 150;
    long before = live();
    try {
      for (int i = 0; i < many; i++) {
        RawHttp connection = new RawHttp(gateway.process().httpPort());
        all.add(connection);
        connection.send("GET /observed HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n");
        assertThat(connection.readLine()).contains(" 200 ");
        while (!connection.readLine().startsWith("retry")) {
          // the rest of the head
        }
      }
      assertThat((live() - before) / many)
          .isLessThan(each("event streams") + each("HTTP connections"));
    } finally {
      for (RawHttp connection : all) {
        connection.close();
      }
      gateway.manager().apply(1, ++tables, PlayedManager.route("any", 60_000, gateway.handler()));
    }
  }

  /** Each with a handler, a connection to it, meters of CoAP, and then one who observes it. */
  @Test
  void shouldTakeNoMoreForAFunctionAndAnObserverThanItSays() throws IOException {
    Handler handler = gateway.handler();
    gateway.manager().apply(1, ++tables, PlayedManager.route("any", 60_000, handler));
    long none = live();
    Route[] routes =
        IntStream.range(0, MANY)
            .mapToObj(
                i ->
                    PlayedManager.route(
                        "function-" + i,
                        60_000,
                        OBSERVABLE,
                        new Handler("handler-" + i, handler.endpoint())))
            .toArray(Route[]::new);
    gateway.manager().apply(1, ++tables, routes);
    for (Route route : routes) {
      ask(route.function().value());
    }
    long before = live();
    assertThat((before - none) / MANY).isLessThan(each("functions") + REQUEST_BYTES);
    assertThat(gateway.process().get("/q/metrics").body())
        .contains(
            "tinyfaas_invocation_seconds_count{function=\"function-0\",protocol=\"coap\"} 1.0")
        .contains("{function=\"function-299\",outcome=\"ok\",protocol=\"coap\"} 1.0")
        .endsWith("# EOF\n")
        .containsOnlyOnce("# EOF");

    List<ObservingDevice> devices = new ArrayList<>();
    try {
      for (int i = 0; i < MANY; i++) {
        if (i % OBSERVERS_OF_ONE == 0) {
          String own = "127.0.50." + (1 + i / OBSERVERS_OF_ONE);
          devices.add(new ObservingDevice(own, gateway.process().coapPort()));
        }
        int token = 1 + i % OBSERVERS_OF_ONE;
        assertThat(
                devices
                    .getLast()
                    .ask(ObservingDevice.observe(Type.CON, token, "function-" + i))
                    .getOptions()
                    .hasObserve())
            .isTrue();
      }
      assertThat((live() - before) / MANY).isLessThan(each("observers") + REQUEST_BYTES);
    } finally {
      devices.forEach(ObservingDevice::close);
    }
  }
}
