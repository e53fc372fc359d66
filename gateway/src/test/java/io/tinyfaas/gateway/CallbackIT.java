package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.harness.Command;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The packaged gateway calls back real servers, on an address that the operator has allowed:
 * 127.0.0.2.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class CallbackIT {

  private static final String ALLOWED = "127.0.0.2";

  private record Heard(String path, Map<String, String> headers, String body) {}

  @TempDir Path folder;

  private final HttpClient client = HttpClient.newHttpClient();
  private final List<Heard> heard = new CopyOnWriteArrayList<>();
  private HttpServer server;
  private ServedGateway system;

  @BeforeEach
  void serve() throws IOException {
    server = HttpServer.create(new InetSocketAddress(ALLOWED, 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  /** A path that begins with a number is answered with that. */
  private void answer(HttpExchange exchange) throws IOException {
    Map<String, String> headers = new HashMap<>();
    exchange
        .getRequestHeaders()
        .forEach((name, values) -> headers.put(name.toLowerCase(), values.getFirst()));
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    String path = exchange.getRequestURI().getPath();
    heard.add(new Heard(path, headers, body));
    exchange.getResponseHeaders().add("Location", "http://" + ALLOWED + "/elsewhere");
    String status = path.substring(1);
    exchange.sendResponseHeaders(status.matches("\\d{3}") ? Integer.parseInt(status) : 204, -1);
    exchange.close();
  }

  @AfterEach
  void stop() {
    client.close();
    server.stop(0);
    if (system != null) {
      system.close();
    }
  }

  private void start(Map<String, String> environment) {
    Map<String, String> all = new HashMap<>(environment);
    all.put("TINYFAAS_FETCH_ALLOW", ALLOWED);
    system = new ServedGateway(folder, all, this::function);
    system.serve(PlayedManager.route("f", CallPolicy.DEFAULT, system.handler()));
  }

  private void function(HttpServerRequest request, Buffer body) {
    request.response().putHeader("Content-Type", "text/plain").end("did " + body);
  }

  private HttpResponse<String> send(HttpRequest.Builder request) {
    try {
      return client.send(
          request
              .version(HttpClient.Version.HTTP_1_1)
              .timeout(patient(Duration.ofSeconds(30)))
              .build(),
          BodyHandlers.ofString());
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  private HttpRequest.Builder to(String path) {
    return HttpRequest.newBuilder(
        URI.create("http://127.0.0.1:" + system.process().httpPort() + path));
  }

  private HttpResponse<String> call(String body, String callback) {
    return send(
        to("/calls/f").header("X-tinyFaaS-Callback", callback).POST(BodyPublishers.ofString(body)));
  }

  private String url(String path) {
    return "http://" + ALLOWED + ":" + server.getAddress().getPort() + path;
  }

  private String accepted(String body, String callback) {
    HttpResponse<String> answer = call(body, callback);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    return answer.headers().firstValue("Location").orElseThrow().substring("/calls/".length());
  }

  private long logged(String... texts) {
    return system.process().log().stream()
        .filter(line -> List.of(texts).stream().allMatch(line::contains))
        .count();
  }

  @Test
  void shouldPostTheAnswer() {
    start(Map.of());

    String call = accepted("it", url("/hook"));

    eventually().untilAsserted(() -> assertThat(heard).hasSize(1));
    assertThat(heard.getFirst().path()).isEqualTo("/hook");
    assertThat(heard.getFirst().body()).isEqualTo("did it");
    assertThat(heard.getFirst().headers())
        .containsEntry("x-tinyfaas-result-of", call)
        .containsEntry("x-tinyfaas-result-function", "f")
        .containsEntry("x-tinyfaas-result-state", "done")
        .containsEntry("x-tinyfaas-result-status", "200")
        .containsEntry("content-type", "text/plain")
        .containsEntry("x-tinyfaas-attempt", "1")
        .containsKey("x-tinyfaas-call")
        .containsEntry("host", ALLOWED + ":" + server.getAddress().getPort());
  }

  @Test
  void shouldTryAgainOrNotAsTheServerSays() {
    start(Map.of());
    accepted("for good", url("/404?key=secret"));
    accepted("elsewhere", url("/302"));
    accepted("again", url("/503"));

    eventually()
        .untilAsserted(
            () ->
                assertThat(heard)
                    .filteredOn(each -> each.path().equals("/503"))
                    .hasSizeGreaterThan(1));
    eventually()
        .untilAsserted(
            () ->
                assertThat(
                        logged(
                            "event=call-failed function=f",
                            "callback=http://" + ALLOWED,
                            "attempts=1",
                            "status 404"))
                    .isEqualTo(1));
    eventually()
        .untilAsserted(
            () -> assertThat(logged("event=call-failed", "redirects are not")).isEqualTo(1));
    assertThat(heard).filteredOn(each -> each.path().equals("/404")).hasSize(1);
    assertThat(heard).filteredOn(each -> each.path().equals("/elsewhere")).isEmpty();
    assertThat(logged("secret")).isZero();
    assertThat(heard)
        .filteredOn(each -> each.path().equals("/503"))
        .extracting(each -> each.headers().get("x-tinyfaas-call"))
        .containsOnly(
            heard.stream()
                .filter(each -> each.path().equals("/503"))
                .findFirst()
                .orElseThrow()
                .headers()
                .get("x-tinyfaas-call"));
  }

  @Test
  void shouldRefuseAtOnceWhatNobodyWouldHear() {
    start(Map.of());
    for (String callback :
        List.of(
            "http://127.0.0.1:9/",
            "http://169.254.169.254/latest",
            "http://10.1.2.3/",
            "http://me:word@example.org/",
            "http://" + ALLOWED + ":" + system.broker().port() + "/",
            "ftp://example.org/",
            "https://example.org/" + "a".repeat(600),
            "mqtt:callbacks/a", // there is no such broker here
            "mqtt:devices/lamp/set",
            "gone")) {
      HttpResponse<String> refused = call("it", callback);
      assertThat(refused.statusCode()).as(callback).isEqualTo(400);
      assertThat(new JsonObject(refused.body()).getString("type"))
          .as(refused.body())
          .isIn("urn:tinyfaas:problem:no-callback", "urn:tinyfaas:problem:bad-request");
      assertThat(new JsonObject(refused.body()).getString("detail"))
          .contains("X-tinyFaaS-Callback");
    }
    assertThat(system.runs()).isZero();
  }

  /** Of each call that was done the server hears, whenever the gateway was killed. */
  @Test
  void shouldLoseNoneWhenItIsKilled() {
    start(Map.of());
    server.stop(0); // nobody hears anything yet
    Set<String> calls = ConcurrentHashMap.newKeySet();
    for (int kill = 0; kill < 3; kill++) {
      for (int i = 0; i < 10; i++) {
        calls.add(accepted(kill + "-" + i, url("/hook")));
      }
      system.process().kill();
      system.startAgain();
    }
    int port = server.getAddress().getPort();
    try {
      server = HttpServer.create(new InetSocketAddress(ALLOWED, port), 0);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    server.createContext("/", this::answer);
    server.start();

    eventually()
        .untilAsserted(
            () ->
                assertThat(heard)
                    .extracting(each -> each.headers().get("x-tinyfaas-result-of"))
                    .containsAll(calls));
    assertThat(heard)
        .allSatisfy(
            each -> assertThat(each.headers()).containsEntry("x-tinyfaas-result-state", "done"));
  }

  @Test
  void shouldTrustTheOperatorsAuthorityAndNobodyElse() throws Exception {
    Path store = folder.resolve("keys.p12");
    keytool(store, "-genkeypair", "-keyalg", "EC", "-dname", "CN=x", "-ext", "SAN=ip:" + ALLOWED);
    Path authorities = Files.createDirectory(folder.resolve("authorities"));
    HttpsServer https = HttpsServer.create(new InetSocketAddress(ALLOWED, 0), 0);
    https.setHttpsConfigurator(new HttpsConfigurator(tls(store)));
    https.createContext("/", this::answer);
    https.start();
    try {
      String url = "https://" + ALLOWED + ":" + https.getAddress().getPort() + "/hook";
      start(Map.of("TINYFAAS_CA_CERTIFICATES", authorities.toString()));
      accepted("distrusted", url);
      eventually().untilAsserted(() -> assertThat(system.runs()).isEqualTo(1));
      system.process().terminate(); // waits for the attempt under way
      system.process().awaitExit();
      assertThat(heard).isEmpty();

      keytool(store, "-exportcert", "-rfc", "-file", authorities.resolve("own.crt").toString());
      system.startAgain();

      eventually().untilAsserted(() -> assertThat(heard).hasSize(1));
      assertThat(heard.getFirst().body()).isEqualTo("did distrusted");
    } finally {
      https.stop(0);
    }
  }

  private static void keytool(Path store, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments));
    command.addAll(List.of("-alias", "a", "-keystore", store.toString(), "-storepass", "secret"));
    Command.of(command).lines();
  }

  private static SSLContext tls(Path store) throws Exception {
    KeyStore keys = KeyStore.getInstance(store.toFile(), "secret".toCharArray());
    KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
    factory.init(keys, "secret".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(factory.getKeyManagers(), null, null);
    return context;
  }
}
