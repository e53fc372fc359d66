package io.tinyfaas.gateway;

import static io.tinyfaas.gateway.Datagram.CON;
import static io.tinyfaas.gateway.Datagram.POST;
import static io.tinyfaas.harness.Eventually.within;
import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** As many slow invocations as the gateway takes, and large bodies besides. */
@Tag("slow")
class FullGatewayIT {

  private static final long FUNCTION_TIMEOUT_MILLIS = 600_000;
  private static final int DEVICES = 3;
  private static final int PER_DEVICE = 1_300;

  /** The gateway's socket has room for so many. */
  private static final int AT_A_TIME = 50;

  private static final int CLIENTS = 12;
  private static final int ROUNDS = 10;

  private static final int SLOW_BODY = 1_000;
  private static final int LARGE_BODY = 1 << 20;

  @TempDir private Path folder;
  private final List<HttpServerRequest> held = new CopyOnWriteArrayList<>();
  private volatile boolean released;

  @Test
  void shouldRefuseWhatDoesNotFitAndLive() throws Exception {
    try (ServedGateway system = new ServedGateway(folder, Map.of(), this::function)) {
      GatewayProcess gateway = system.process();
      system.serve(
          PlayedManager.route("f", FUNCTION_TIMEOUT_MILLIS, system.handler()),
          PlayedManager.route("slow1", FUNCTION_TIMEOUT_MILLIS, system.handler()),
          PlayedManager.route("slow2", FUNCTION_TIMEOUT_MILLIS, system.handler()),
          PlayedManager.route("slow3", FUNCTION_TIMEOUT_MILLIS, system.handler()));
      for (int i = 1; i <= DEVICES; i++) {
        try (CoapPeer device = new CoapPeer("127.0.20." + i, gateway.coapPort())) {
          askAll(device, "slow" + i);
        }
      }

      assertThat(flood(gateway)).isSubsetOf(200, 503);
      assertThat(gateway.log()).noneMatch(l -> l.contains("OutOfMemoryError"));

      system.vertx().runOnContext(now -> release());
      within(Duration.ofMinutes(1))
          .until(() -> gateway.get("/q/metrics").body().contains("tinyfaas_in_flight 0.0"));
      assertThat(flood(gateway)).contains(200);
    }
  }

  /** One after the other, whatever becomes of them. */
  private static void askAll(CoapPeer device, String function) throws IOException {
    for (int mid = 0; mid < PER_DEVICE; mid++) {
      device.send(Datagram.request(CON, POST, mid, function).payload(new byte[SLOW_BODY]));
      if (mid % AT_A_TIME == 0) {
        while (device.receive(1).isPresent()) {
          // acknowledged, or refused
        }
      }
    }
  }

  private void function(HttpServerRequest request, Buffer body) {
    if (body.length() == SLOW_BODY && !released) {
      held.add(request);
    } else {
      request.response().end(body);
    }
  }

  private void release() {
    released = true;
    held.forEach(request -> request.response().end());
  }

  /** Of large bodies by HTTP: what came of them. */
  private static Set<Integer> flood(GatewayProcess gateway) throws Exception {
    List<Callable<Set<Integer>>> clients = Collections.nCopies(CLIENTS, () -> rounds(gateway));
    Set<Integer> statuses = new HashSet<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<Set<Integer>> each : threads.invokeAll(clients)) {
        statuses.addAll(each.get());
      }
    }
    return statuses;
  }

  private static Set<Integer> rounds(GatewayProcess gateway) throws IOException {
    Set<Integer> statuses = new HashSet<>();
    for (int round = 0; round < ROUNDS; round++) {
      statuses.add(HttpUpload.post(gateway.httpPort(), "/f", new byte[LARGE_BODY]).status());
    }
    return statuses;
  }
}
