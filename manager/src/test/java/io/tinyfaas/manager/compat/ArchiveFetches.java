package io.tinyfaas.manager.compat;

import static io.tinyfaas.harness.Eventually.patient;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.vertx.core.Vertx;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Fetches from a real server, at an address that the operator allows: 127.0.0.2. */
abstract class ArchiveFetches {

  static final String ALLOWED = "127.0.0.2";

  @TempDir Path folder;

  private final Vertx vertx = Vertx.vertx();
  HttpServer server;
  HttpServer secret;
  private final AtomicInteger secrets = new AtomicInteger();

  @BeforeEach
  void serve() throws IOException {
    server = server(ALLOWED);
    answer("/archive.zip", 200, "the archive");
    secret = server("127.0.0.1");
    secret.createContext(
        "/",
        exchange -> {
          secrets.incrementAndGet();
          send(exchange, 200, "the secret");
        });
  }

  private static HttpServer server(String address) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(address, 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.start();
    return server;
  }

  @AfterEach
  void stop() throws Exception {
    server.stop(0);
    secret.stop(0);
    vertx
        .close()
        .toCompletionStage()
        .toCompletableFuture()
        .get(patient(Duration.ofSeconds(10)).toMillis(), TimeUnit.MILLISECONDS);
    assertThat(secrets).hasValue(0);
  }

  void answer(String path, int status, String body) {
    server.createContext(path, exchange -> send(exchange, status, body));
  }

  void redirect(String path, String location) {
    server.createContext(
        path,
        exchange -> {
          exchange.getResponseHeaders().add("Location", location);
          send(exchange, 302, "");
        });
  }

  static void send(HttpExchange exchange, int status, String body) throws IOException {
    exchange.sendResponseHeaders(status, body.isEmpty() ? -1 : body.length());
    exchange.getResponseBody().write(body.getBytes(UTF_8));
    exchange.close();
  }

  String url(String path) {
    return "http://" + ALLOWED + ":" + server.getAddress().getPort() + path;
  }

  String secretUrl() {
    return "http://127.0.0.1:" + secret.getAddress().getPort() + "/";
  }

  ArchiveFetch fetch(ArchiveFetch.Resolver resolver) {
    return fetch(patient(Duration.ofSeconds(20)), resolver);
  }

  ArchiveFetch fetch(Duration timeout, ArchiveFetch.Resolver resolver) {
    return new ArchiveFetch(
        vertx,
        new CompatSettings() {
          @Override
          public int coapPort() {
            return -1;
          }

          @Override
          public int httpPort() {
            return -1;
          }

          @Override
          public int grpcPort() {
            return -1;
          }

          @Override
          public boolean uploadNetworkAccess() {
            return false;
          }

          @Override
          public Optional<List<String>> fetchAllow() {
            return Optional.of(List.of(ALLOWED));
          }

          @Override
          public Duration fetchTimeout() {
            return timeout;
          }

          @Override
          public Optional<Path> checkout() {
            return Optional.of(folder);
          }
        },
        Set::of,
        resolver);
  }

  String read(String url) {
    return read(fetch(InetAddress::getAllByName), url);
  }

  static String read(ArchiveFetch fetch, String url) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    try (FetchedArchive archive = fetch.open(url)) {
      archive.writeTo(body);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return body.toString(UTF_8);
  }

  ProblemException refusal(String url) {
    return refusal(fetch(InetAddress::getAllByName), url);
  }

  static ProblemException refusal(ArchiveFetch fetch, String url) {
    ProblemException refusal = catchThrowableOfType(ProblemException.class, () -> read(fetch, url));
    assertThat(refusal).isNotNull();
    assertThat(refusal.type()).isEqualTo(ProblemType.FETCH_FAILED);
    return refusal;
  }
}
