package io.tinyfaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** HTTP in, a handler's answer out, on the packaged gateway. */
@TestInstance(Lifecycle.PER_CLASS)
@Timeout(60)
class HttpInvocationIT {

  private static final int MAX_BODY = 64 * 1024;

  private final List<String> heard = new CopyOnWriteArrayList<>();
  private final List<HttpServerRequest> held = new CopyOnWriteArrayList<>();
  private final HttpClient client = HttpClient.newHttpClient();
  private ServedGateway system;
  private GatewayProcess gateway;

  @BeforeAll
  void start(@TempDir Path folder) {
    system =
        new ServedGateway(
            folder,
            Map.of(
                "TINYFAAS_MAX_BODY",
                "64K",
                "TINYFAAS_MAX_IN_FLIGHT_PER_FUNCTION",
                "8",
                "TINYFAAS_HTTP_MAX_ASYNC",
                "3"),
            this::function);
    gateway = system.process();
    Handler gone = new Handler("gone", new HandlerEndpoint.Unix("f/gone.sock"));
    system.serve(
        PlayedManager.route("f", 10_000, system.handler()),
        PlayedManager.route("slow", 200, system.handler()),
        PlayedManager.route("gone", 10_000, gone),
        PlayedManager.route("none", 10_000));
  }

  @BeforeEach
  void forget() {
    heard.clear();
    held.clear();
  }

  @AfterAll
  void stop() {
    client.close();
    system.close();
  }

  /** What it does, its path says. */
  private void function(HttpServerRequest request, Buffer body) {
    String path = request.getHeader("X-tinyFaaS-Path");
    switch (path == null ? "" : path) {
      case "/echo" -> request.response().end(body);
      case "/headers" ->
          request
              .response()
              .end(
                  request.headers().entries().stream()
                      .map(header -> header.getKey().toLowerCase() + ": " + header.getValue())
                      .sorted()
                      .collect(Collectors.joining("\n")));
      case "/status" ->
          request
              .response()
              .setStatusCode(Integer.parseInt(request.getHeader("X-tinyFaaS-Query")))
              .putHeader("X-Of-Function", "yes")
              .putHeader("Keep-Alive", "timeout=5")
              .end(body);
      case "/large" -> request.response().end(Buffer.buffer(new byte[MAX_BODY + 1]));
      case "/hold" -> held.add(request);
      case "/hear" -> {
        heard.add(body.toString());
        request.response().end();
      }
      default -> request.response().end("path " + path);
    }
  }

  private HttpRequest.Builder to(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + gateway.httpPort() + path))
        .version(HttpClient.Version.HTTP_1_1)
        .timeout(Duration.ofSeconds(20));
  }

  private HttpResponse<String> send(HttpRequest.Builder request) {
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
  private String exchange(String text) throws IOException {
    try (RawHttp raw = new RawHttp(gateway.httpPort())) {
      return raw.send(text).readAll();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"})
  void shouldTellTheHandlerWhatWasAsked(String method) throws IOException {
    String answer =
        exchange(
            method
                + " /f/headers?x=1&y=%26%20 HTTP/1.1\r\nHost: box:8000\r\nX-Own: a\r\nX-Own: b\r\n"
                + "Authorization: Basic eA==\r\nX-tinyFaaS-Peer: forged\r\nX-tinyFaaS-New: forged\r\n"
                + "Connection: close, X-Mine\r\nX-Mine: hop\r\nTE: trailers\r\n"
                + "Proxy-Authorization: secret\r\nContent-Length: 0\r\n\r\n");

    assertThat(answer)
        .startsWith("HTTP/1.1 200 OK\r\n")
        .contains("x-tinyfaas-method: " + method + "\n")
        .contains("x-tinyfaas-path: /headers\n")
        .contains("x-tinyfaas-query: x=1&y=%26%20")
        .contains("x-tinyfaas-protocol: http\n")
        .containsPattern("x-tinyfaas-peer: 127.0.0.1:\\d+\n")
        .contains("host: box:8000\n", "x-own: a\nx-own: b\n", "authorization: Basic eA==\n")
        .contains("content-length: 0\n")
        .doesNotContain("forged", "x-mine", "\nte: ", "secret", "close, ");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1_000, MAX_BODY})
  void shouldPassBodiesBothWays(int size) throws Exception {
    byte[] body = new byte[size];
    new Random(size).nextBytes(body);

    HttpResponse<byte[]> whole =
        client.send(
            to("/f/echo").POST(BodyPublishers.ofByteArray(body)).build(),
            BodyHandlers.ofByteArray());
    HttpResponse<byte[]> chunked =
        client.send(
            to("/f/echo").POST(BodyPublishers.ofByteArrays(List.of(body))).build(),
            BodyHandlers.ofByteArray());

    assertThat(whole.statusCode()).isEqualTo(200);
    assertThat(whole.body()).isEqualTo(body);
    assertThat(chunked.body()).isEqualTo(body);
    assertThat(whole.headers().firstValue("Date")).isPresent();
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 201, 299, 302, 400, 404, 418, 429, 500, 503, 599})
  void shouldPassStatusHeadersAndBodyBack(int status) {
    HttpResponse<String> answer =
        send(to("/f/status?" + status).POST(BodyPublishers.ofString("body")));

    assertThat(answer.statusCode()).isEqualTo(status);
    assertThat(answer.body()).isEqualTo("body");
    assertThat(answer.headers().firstValue("X-Of-Function")).hasValue("yes");
    assertThat(answer.headers().firstValue("Keep-Alive")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {204, 205, 304})
  void shouldSendNoBodyWithAStatusThatHasNone(int status) throws IOException {
    String answer =
        exchange(
            "GET /f/status?"
                + status
                + " HTTP/1.1\r\nHost: x\r\n\r\nGET /f/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

    assertThat(answer).startsWith("HTTP/1.1 " + status + " ").contains("\r\n\r\nHTTP/1.1 200 OK");
  }

  @Test
  void shouldAnswerHeadWithoutABody() throws IOException {
    String answer = exchange("HEAD /f/headers HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    String unknown = exchange("HEAD /nobody HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

    assertThat(answer).startsWith("HTTP/1.1 200 OK").endsWith("\r\n\r\n");
    assertThat(answer).containsPattern("content-length: [1-9]");
    assertThat(unknown).startsWith("HTTP/1.1 404").endsWith("\r\n\r\n");
  }

  @Test
  void shouldSayWhatIsWrongAsAProblem() {
    HttpResponse<String> unknown = send(to("/nobody/x?y=1"));
    assertThat(unknown.statusCode()).isEqualTo(404);
    assertThat(unknown.headers().firstValue("Content-Type")).hasValue("application/problem+json");
    assertThat(unknown.body())
        .contains("urn:tinyfaas:problem:unknown-function", "\"instance\":\"/nobody/x\"");

    HttpResponse<String> none = send(to("/none"));
    assertThat(none.statusCode()).isEqualTo(503);
    assertThat(none.headers().firstValue("Retry-After")).hasValue("2");
    assertThat(send(to("/gone")).statusCode()).isEqualTo(503);
    assertThat(send(to("/slow/hold")).statusCode()).isEqualTo(504);
    assertThat(send(to("/f/large")).body()).contains("bad-answer", "larger than 65536 bytes");
    assertThat(send(to("/")).statusCode()).isEqualTo(404);
    assertThat(send(to("/f%2Fecho")).statusCode()).isEqualTo(404);
    assertThat(send(to("/%66/echo")).statusCode()).isEqualTo(200);
  }

  @Test
  void shouldRefuseABodyThatIsTooLargeBeforeItIsThere() throws IOException {
    assertThat(exchange("POST /f/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\nx"))
        .startsWith("HTTP/1.1 413")
        .contains("connection: close", "body-too-large");
    assertThat(
            exchange(
                "POST /f/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n"))
        .startsWith("HTTP/1.1 4");
    assertThat(
            send(to("/f/echo").POST(BodyPublishers.ofByteArray(new byte[4 * MAX_BODY])))
                .statusCode())
        .isEqualTo(413);
    assertThat(
            send(to("/f/echo").POST(BodyPublishers.ofByteArrays(List.of(new byte[2 * MAX_BODY]))))
                .statusCode())
        .isEqualTo(413);
  }

  @Test
  void shouldContinueOnlyWhereTheBodyIsWanted() throws IOException {
    String head = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n";
    try (RawHttp raw = new RawHttp(gateway.httpPort())) {
      raw.send("POST /f/echo" + head + "Content-Length: 2\r\n\r\n");
      assertThat(raw.readLine()).isEqualTo("HTTP/1.1 100 Continue");
      assertThat(raw.send("ok").readAll()).contains("HTTP/1.1 200 OK").endsWith("ok");
    }
    assertThat(exchange("POST /f/echo" + head + "Content-Length: 65537\r\n\r\n"))
        .startsWith("HTTP/1.1 413");
    assertThat(exchange("POST /nobody" + head + "Content-Length: 2\r\n\r\n"))
        .startsWith("HTTP/1.1 404");
    assertThat(exchange("POST /f HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n"))
        .startsWith("HTTP/1.1 417");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "POST /f HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "POST /f HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /f HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /f HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /f HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "POST /f HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\nx",
        "POST /f HTTP/1.1\r\nHost: x\r\nContent-Length : 1\r\n\r\nx",
        "POST /f HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /f HTTP/1.1\r\n\r\n",
        "GET /f HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "CONNECT box:80 HTTP/1.1\r\nHost: box\r\n\r\n",
        "nonsense\r\n\r\n",
      })
  void shouldRefuseWhatAProxyCouldReadDifferently(String request) throws IOException {
    String smuggled = "GET /f/hear HTTP/1.1\r\nHost: x\r\n\r\n";

    String answer = exchange(request + smuggled);

    assertThat(answer).containsPattern("^HTTP/1.[01] (400|501) ");
    assertThat(answer.split("HTTP/1.", -1)).as("one answer: %s", answer).hasSize(2);
    assertThat(heard).isEmpty();
  }

  @Test
  void shouldEndAConnectionWhoseChunksAreBroken() throws IOException {
    exchange(
        "POST /f/hear HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
            + "GET /f/hear HTTP/1.1\r\nHost: x\r\n\r\n");

    assertThat(heard).isEmpty();
  }

  @Test
  void shouldBoundLineAndHeader() throws IOException {
    assertThat(exchange("GET /f/" + "x".repeat(9_000) + " HTTP/1.1\r\nHost: x\r\n\r\n"))
        .contains(" 414 Request-URI Too Long");
    assertThat(exchange("GET /f HTTP/1.1\r\nHost: x\r\nX: " + "x".repeat(9_000) + "\r\n\r\n"))
        .contains(" 431 ");
  }

  @Test
  void shouldKeepAConnectionAndAnswerInOrder() throws IOException {
    String requests =
        IntStream.range(0, 20)
            .mapToObj(
                n -> "POST /f/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n" + (10 + n))
            .collect(Collectors.joining());

    String answer =
        exchange(requests + "GET /f/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

    List<String> bodies =
        Arrays.stream(answer.split("HTTP/1.1 200 OK"))
            .skip(1)
            .map(one -> one.substring(one.indexOf("\r\n\r\n") + 4))
            .toList();
    assertThat(bodies)
        .containsExactlyElementsOf(
            Stream.concat(
                    IntStream.range(0, 20).mapToObj(n -> Integer.toString(10 + n)), Stream.of(""))
                .toList());
  }

  @Test
  void shouldTakeWholeUrisAndOldHttp() throws IOException {
    assertThat(exchange("GET http://box/f/a?b HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n"))
        .endsWith("path /a");
    assertThat(exchange("GET /f/a HTTP/1.0\r\n\r\n")).endsWith("path /a");
    assertThat(exchange("GET /f/\u00e4 HTTP/1.0\r\n\r\n")).endsWith("path /%C3%A4");
  }

  @Test
  void shouldRefuseWhatIsTooMuchAtOnce() {
    List<CompletableFuture<HttpResponse<String>>> running =
        IntStream.range(0, 8)
            .mapToObj(n -> client.sendAsync(to("/f/hold").build(), BodyHandlers.ofString()))
            .toList();
    await().until(() -> held.size() == 8);

    HttpResponse<String> refused = send(to("/f/echo"));

    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(refused.headers().firstValue("Retry-After")).hasValue("1");
    held.forEach(request -> request.response().end("done"));
    assertThat(running).allMatch(answer -> answer.join().body().equals("done"));
  }

  @Test
  void shouldRunWhatNobodyWaitsFor() {
    HttpResponse<String> accepted =
        send(
            to("/f/hear")
                .header("X-tinyFaaS-Async", "anything")
                .POST(BodyPublishers.ofString("later")));

    assertThat(accepted.statusCode()).isEqualTo(202);
    assertThat(accepted.body()).isEmpty();
    await().until(() -> heard.equals(List.of("later")));
    assertThat(send(to("/nobody").header("X-tinyFaaS-Async", "1")).statusCode()).isEqualTo(404);
  }

  @Test
  void shouldBoundWhatNobodyWaitsFor() {
    for (int i = 0; i < 3; i++) {
      assertThat(send(to("/f/hold").header("X-tinyFaaS-Async", "1")).statusCode()).isEqualTo(202);
    }
    await().until(() -> held.size() == 3);

    HttpResponse<String> refused = send(to("/f/hold").header("X-tinyFaaS-Async", "1"));

    assertThat(refused.statusCode()).isEqualTo(429);
    assertThat(refused.headers().firstValue("Retry-After")).hasValue("1");
    assertThat(refused.body()).contains("too-many-asynchronous");
    assertThat(send(to("/f/echo")).statusCode()).isEqualTo(200);
    held.forEach(request -> request.response().end());
    await()
        .untilAsserted(
            () ->
                assertThat(gateway.get("/q/metrics").body())
                    .contains("tinyfaas_async_accepted 0.0"));
  }

  @Test
  void shouldPassOnUtf8AsItIs() {
    assertThat(
            send(to("/f/echo").POST(BodyPublishers.ofString("grüße ✓", StandardCharsets.UTF_8)))
                .body())
        .isEqualTo("grüße ✓");
  }
}
