package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is and is not a message of HTTP/1.1, byte by byte (RFC 9112). */
class HttpMessagesIT extends HttpCalls {

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

  /** As {@code nc -N} does. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void shouldAnswerAClientThatHasClosedItsSide(int requests) throws IOException {
    try (RawHttp http = new RawHttp(gateway.httpPort())) {
      http.send("GET /f/hold HTTP/1.1\r\nHost: x\r\n\r\n".repeat(requests)).shutdown();
      for (int i = 1; i <= requests; i++) {
        int number = i;
        eventually().until(() -> held.size() == number);
        held.getLast().response().end("done");
      }
      assertThat(http.readAll().split("HTTP/1.1 200 OK")).hasSize(requests + 1);
    }
    awaitMetric("tinyfaas_http_connections 0.0");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "GET /f/echo HTTP/1.1\r\nHo",
        "POST /f/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx",
      })
  void shouldCloseWhereNoWholeRequestCameBeforeThat(String part) throws IOException {
    try (RawHttp http = new RawHttp(gateway.httpPort())) {
      assertThat(http.send(part).shutdown().readAll()).isEmpty();
    }
    awaitMetric("tinyfaas_http_connections 0.0");
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
            exchange(
                "POST /f/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 262144\r\n\r\n"
                    + "x".repeat(4 * MAX_BODY)))
        .startsWith("HTTP/1.1 413");
    assertThat(
            exchange(
                "POST /f/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "20000\r\n"
                    + "x".repeat(2 * MAX_BODY)
                    + "\r\n0\r\n\r\n"))
        .startsWith("HTTP/1.1 413");
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
        "GET /f HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n",
      })
  void shouldRefuseWhatAProxyCouldReadDifferently(String request) throws IOException {
    String smuggled = "GET /f/hear HTTP/1.1\r\nHost: x\r\n\r\n";

    String answer = exchange(request + smuggled);

    assertThat(answer).containsPattern("^HTTP/1.[01] (400|501) ");
    assertThat(answer.split("HTTP/1.", -1)).as("one answer: %s", answer).hasSize(2);
    awaitIdle();
    assertThat(heard).isEmpty();
  }

  @Test
  void shouldEndAConnectionWhoseChunksAreBroken() throws IOException {
    exchange(
        "POST /f/hear HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
            + "GET /f/hear HTTP/1.1\r\nHost: x\r\n\r\n");

    awaitIdle();
    assertThat(heard).isEmpty();
  }

  @Test
  void shouldBoundLineAndHeader() throws IOException {
    assertThat(exchange("GET /f/" + "x".repeat(9_000) + " HTTP/1.1\r\nHost: x\r\n\r\n"))
        .contains(" 414 Request-URI Too Long");
    assertThat(exchange("GET /f HTTP/1.1\r\nHost: x\r\nX: " + "x".repeat(9_000) + "\r\n\r\n"))
        .contains(" 431 ");
  }

  /** Or the handler would refuse it, and with it what others have sent on the same connection. */
  @Test
  void shouldPassOnNoMoreThanHandlersTake() throws IOException {
    String fields = "\r\nHost: x\r\nConnection: close\r\n";
    String most = "a:\r\n".repeat(88);

    assertThat(exchange("GET /f/headers HTTP/1.1" + fields + most + "\r\n"))
        .startsWith("HTTP/1.1 200");
    assertThat(exchange("GET /f/headers HTTP/1.1" + fields + most + "a:\r\n\r\n"))
        .startsWith("HTTP/1.1 431");
    assertThat(exchange("GET /f/" + "\u00e4".repeat(1_000) + " HTTP/1.1" + fields + "\r\n"))
        .startsWith("HTTP/1.1 414");
  }

  /** Of each field the gateway has objects of a hundred bytes: 400 KB for these, of 35 MB. */
  @Test
  void shouldSurviveHeadsOfNothingButFields() throws IOException {
    List<RawHttp> connections = new ArrayList<>();
    try {
      for (int i = 0; i < 150; i++) {
        RawHttp connection = new RawHttp(gateway.httpPort());
        connections.add(connection);
        connection.offer("GET /f HTTP/1.1\r\nHost: x\r\n" + "a:\r\n".repeat(3_900));
      }
      for (RawHttp connection : connections) {
        assertThat(connection.readLine()).startsWith("HTTP/1.1 431");
      }
    } finally {
      for (RawHttp connection : connections) {
        connection.close();
      }
    }
    assertThat(send(to("/f/echo").GET()).statusCode()).isEqualTo(200);
  }

  @Test
  void shouldNotTellOldHttpToContinue() throws IOException {
    assertThat(
            exchange(
                "POST /f/echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok"))
        .startsWith("HTTP/1.0 200")
        .endsWith("ok");
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

  /** Parsed, they would be 39 MB of 35. */
  @Test
  void shouldReadNoRequestBeforeTheOneAheadIsAnswered() throws Exception {
    int requests = 3_000;
    String fields = "a:\r\n".repeat(88);
    try (ExecutorService thread = Executors.newVirtualThreadPerTaskExecutor();
        RawHttp raw = new RawHttp(gateway.httpPort())) {
      raw.send("GET /f/hold HTTP/1.1\r\nHost: x\r\n\r\n");
      eventually().until(() -> held.size() == 1);
      Future<?> sent =
          thread.submit(
              () -> {
                for (int i = 0; i < requests; i++) {
                  raw.send("GET /f/" + i + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
                }
                return null;
              });
      for (int i = 0; i < 200; i++) { // meanwhile it has read all that it would
        assertThat(send(to("/f/echo").GET()).statusCode()).isEqualTo(200);
      }

      release();

      assertThat(nextBody(raw)).isEqualTo("done");
      for (int i = 0; i < requests; i++) {
        assertThat(nextBody(raw)).isEqualTo("path /" + i);
      }
      sent.get();
    }
    assertThat(gateway.log()).noneMatch(line -> line.contains("OutOfMemoryError"));
  }

  /** Nothing of them is read; whoever sends them waits, as long as it may take. */
  @Test
  void shouldHoldAsManyRequestsAsComeBehindOneThatIsNotAnswered() throws Exception {
    byte[] request =
        ("GET /f/x HTTP/1.1\r\nHost: x\r\na: " + "v".repeat(3_900) + "\r\n\r\n").getBytes(UTF_8);
    try (ExecutorService thread = Executors.newVirtualThreadPerTaskExecutor();
        RawHttp raw = new RawHttp(gateway.httpPort())) {
      raw.send("GET /f/hold HTTP/1.1\r\nHost: x\r\n\r\n");
      eventually().until(() -> held.size() == 1);
      Future<?> sent =
          thread.submit(
              () -> {
                for (int i = 0; i < 5_000; i++) { // three times what is there for those that wait
                  raw.send(request);
                }
                return null;
              });
      for (int i = 0; i < 200; i++) { // meanwhile it has read all that it would
        assertThat(send(to("/f/echo").GET()).statusCode()).isEqualTo(200);
      }
      assertThat(sent.isDone()).isFalse();

      release();

      assertThat(nextBody(raw)).isEqualTo("done");
      assertThat(nextBody(raw)).isEqualTo("path /x");
    }
  }

  /** What comes while an answer is being sent. */
  @Test
  void shouldReadOneRequestAfterTheOther() throws Exception {
    int requests = 20_000;
    byte[] request = "GET /nobody HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8);
    try (ExecutorService thread = Executors.newVirtualThreadPerTaskExecutor();
        RawHttp raw = new RawHttp(gateway.httpPort())) {
      Future<?> sent =
          thread.submit(
              () -> {
                for (int i = 0; i < requests; i++) {
                  raw.send(request);
                }
                return null;
              });
      for (int i = 0; i < requests; i++) {
        assertThat(nextBody(raw)).contains("unknown-function");
      }
      sent.get();
    }
    assertThat(gateway.log()).noneMatch(line -> line.startsWith("\tat "));
  }

  private static String nextBody(RawHttp raw) throws IOException {
    int length = 0;
    for (String line = raw.readLine(); !line.isEmpty(); line = raw.readLine()) {
      if (line.startsWith("content-length: ")) {
        length = Integer.parseInt(line.substring("content-length: ".length()));
      }
    }
    return raw.read(length);
  }

  @Test
  void shouldTakeWholeUrisAndOldHttp() throws IOException {
    assertThat(exchange("GET http://box/f/a?b HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n"))
        .endsWith("path /a");
    assertThat(exchange("GET /f/a HTTP/1.0\r\n\r\n")).endsWith("path /a");
    assertThat(exchange("GET /f/\u00e4 HTTP/1.0\r\n\r\n")).endsWith("path /%C3%A4");
  }
}
