package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

/** HTTP calls of the packaged gateway, and a function that does what its path says. */
@TestInstance(Lifecycle.PER_CLASS)
abstract class HttpCalls {

  static final int MAX_BODY = 64 * 1024;

  final List<String> heard = new CopyOnWriteArrayList<>();
  final List<HttpServerRequest> held = new CopyOnWriteArrayList<>();
  final HttpClient client = HttpClient.newHttpClient();
  private ServedGateway system;
  GatewayProcess gateway;

  @BeforeAll
  void start(@TempDir Path folder) {
    system =
        new ServedGateway(
            folder,
            Map.of("TINYFAAS_MAX_BODY", "64K", "TINYFAAS_MAX_IN_FLIGHT_PER_FUNCTION", "8"),
            this::function);
    gateway = system.process();
    system.serveGoodAndBad();
  }

  /** What a test has left running would be too much with what the next one runs. */
  @BeforeEach
  void forget() {
    awaitIdle();
    heard.clear();
    held.clear();
  }

  /** Returns when no invocation is under way. */
  void awaitIdle() {
    awaitMetric("tinyfaas_in_flight 0.0");
  }

  void awaitMetric(String line) {
    eventually().untilAsserted(() -> assertThat(gateway.get("/q/metrics").body()).contains(line));
  }

  /** Answers what is held. */
  void release() {
    held.forEach(request -> request.response().end("done"));
  }

  @AfterAll
  void stop() {
    client.close();
    system.close();
  }

  /** What it does, its path says. */
  void function(HttpServerRequest request, Buffer body) {
    String path = request.getHeader("X-tinyFaaS-Path");
    switch (path == null ? "" : path) {
      case "/echo" -> request.response().end(body);
      case "/headers" -> request.response().end(ServedGateway.headers(request));
      case "/status" ->
          request
              .response()
              .setStatusCode(Integer.parseInt(request.getHeader("X-tinyFaaS-Query")))
              .putHeader("X-Of-Function", "yes")
              .putHeader("Keep-Alive", "timeout=5")
              .end(body);
      case "/large" -> request.response().end(Buffer.buffer(new byte[MAX_BODY + 1]));
      case "/hold" -> held.add(request);
      case "/never" -> {}
      case "/hear" -> {
        heard.add(body.toString());
        request.response().end();
      }
      default -> request.response().end("path " + path);
    }
  }

  HttpRequest.Builder to(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + gateway.httpPort() + path))
        .version(HttpClient.Version.HTTP_1_1)
        .timeout(patient(Duration.ofSeconds(30)));
  }

  HttpResponse<String> send(HttpRequest.Builder request) {
    try {
      return client.send(request.build(), BodyHandlers.ofString());
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** Everything that comes until the gateway closes the connection. */
  String exchange(String text) throws IOException {
    try (RawHttp raw = new RawHttp(gateway.httpPort())) {
      return raw.offer(text).readAll();
    }
  }
}
