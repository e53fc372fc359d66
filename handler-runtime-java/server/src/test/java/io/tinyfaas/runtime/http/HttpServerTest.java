package io.tinyfaas.runtime.http;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.function.Request;
import io.tinyfaas.function.Response;
import io.tinyfaas.runtime.load.LoadedFunction.Input;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpServerTest extends ServedFunction {

  @Test
  void shouldGiveAFunctionWhatTheDeviceSent() throws Exception {
    serve(
        Input.REQUEST,
        input -> {
          Request request = (Request) input;
          return request.method() + request.path() + "?" + request.query() + request.headers();
        });
    Socket socket =
        send(
            "POST /fn HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nx-tinyfaas-METHOD: GET\r\n"
                + "X-tinyFaaS-Path: /a\r\nX-tinyFaaS-Query: b=c\r\nAccept: a/b\r\nAccept:   c/d \r\n"
                + "Content-Length: 0\r\n\r\n");
    assertThat(answer(socket))
        .startsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n")
        .contains("GET/a?b=c")
        .contains("Accept=a/b, c/d")
        .doesNotContain("Host", "Connection", "Length=");
  }

  @Test
  void shouldAnswerNothingForNull() throws Exception {
    serve(Input.TEXT, input -> null);
    assertThat(answer(call(""))).isEqualTo("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }

  @Test
  void shouldAnswerBytesAsOctets() throws Exception {
    serve(Input.BYTES, input -> input);
    assertThat(answer(call("abc")))
        .contains("Content-Type: application/octet-stream\r\n")
        .endsWith("\r\n\r\nabc");
  }

  @Test
  void shouldSendNoBodyWhereTheStatusHasNone() throws Exception {
    serve(Input.TEXT, input -> Response.text("x").withStatus(204));
    Socket socket = call("");
    write(socket, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    assertThat(answer(socket)).startsWith("HTTP/1.1 204").doesNotContain("Content-Length");
    assertThat(answer(socket)).startsWith("HTTP/1.1 200");
  }

  @Test
  void shouldNotCareHowARequestIsCutIntoPackets() throws Exception {
    serve(Input.TEXT, input -> input);
    Socket socket = connect();
    String requests =
        "\r\n"
            + post("hello")
            + "POST /fn HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "5;a=b\r\nworld\r\n3\r\n!!!\r\n0\r\nTrailer: x\r\n\r\n"
            + post("end");
    for (char c : requests.toCharArray()) {
      write(socket, String.valueOf(c));
    }
    assertThat(answer(socket)).endsWith("\r\n\r\nhello");
    assertThat(answer(socket)).endsWith("\r\n\r\nworld!!!");
    assertThat(answer(socket)).endsWith("\r\n\r\nend");
  }

  @Test
  void shouldAnswerPipelinedRequestsTogether() throws Exception {
    serve(Input.TEXT, input -> input);
    // Where the machine stands still in between, the first of them may be sent alone.
    eventually()
        .untilAsserted(
            () -> {
              Socket socket = send(post("abc").repeat(20));
              byte[] received = new byte[16 * 1024];
              int count = socket.getInputStream().read(received);
              String answers = new String(received, 0, count, StandardCharsets.US_ASCII);
              assertThat(answers.split("HTTP/1.1 200 OK")).hasSize(21);
            });
  }

  @Test
  void shouldNotHoldAnswersWhileTheNextRequestTakesLong() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    serve(
        Input.TEXT,
        input -> {
          if (input.equals("slow")) {
            awaitUninterruptibly(release);
          }
          return input;
        });
    for (int round = 0; round < 2; round++) {
      Socket socket = send(post("quick") + post("quick too") + post("slow"));
      assertThat(answer(socket)).endsWith("\r\n\r\nquick");
      assertThat(answer(socket)).endsWith("\r\n\r\nquick too");
      // By then nobody looks for held answers any more, until there is one.
      Thread.sleep(300 * (1 - round));
    }
    release.countDown();
  }

  @Test
  void shouldAnswerMorePipelinedRequestsThanItsBufferHolds() throws Exception {
    serve(Input.TEXT, input -> input);
    Socket socket = connect();
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < 900; i++) {
      all.append(post("request " + i + "x".repeat(i)));
    }
    Thread sender = Thread.ofVirtual().start(() -> write(socket, all.toString()));
    for (int i = 0; i < 900; i++) {
      assertThat(answer(socket)).contains("\r\n\r\nrequest " + i + "x".repeat(i));
    }
    sender.join();
  }

  @Test
  void shouldAskForABodyThatIsAnnounced() throws Exception {
    serve(Input.TEXT, input -> input);
    Socket socket =
        send("POST /fn HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assertThat(answer(socket)).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
    write(socket, "hello");
    assertThat(answer(socket)).endsWith("\r\n\r\nhello");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"HEAD /health", "HEAD /fn", "GET /fn", "POST /health", "PUT /", "GET /health?x"})
  void shouldNotFindAnythingElse(String what) throws Exception {
    serve(Input.TEXT, input -> input);
    Socket socket = send(what + " HTTP/1.1\r\nHost: x\r\n\r\n" + post("on"));
    assertThat(answer(socket)).isEqualTo("HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n");
    assertThat(answer(socket)).endsWith("\r\n\r\non");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HTTP/1.0\r\n",
        "HTTP/1.1\r\nConnection: close\r\n",
        "HTTP/1.1\r\nConnection: TE, Close\r\n"
      })
  void shouldCloseTheConnectionWhereThePeerWants(String version) throws Exception {
    serve(Input.TEXT, input -> input);
    Socket socket = send("GET /health " + version + "\r\n");
    assertThat(answer(socket)).startsWith("HTTP/1.1 200").contains("Connection: close");
    assertThat(socket.getInputStream().read()).isEqualTo(-1);
  }

  @Test
  void shouldAnswerErrorsShortlyAndLiveOn() throws Exception {
    serve(
        Input.TEXT,
        input -> {
          switch ((String) input) {
            case "overflow" -> throw new StackOverflowError();
            case "memory" -> throw new OutOfMemoryError("Java heap space");
            case "linkage" -> throw new NoClassDefFoundError("com/acme/Gone");
            case "interrupted" -> Thread.currentThread().interrupt();
            case "evil" ->
                throw new IllegalStateException() {
                  @Override
                  public String getMessage() {
                    throw new IllegalStateException("again");
                  }
                };
            case "surrogates" -> throw new IllegalStateException("x" + "🌍".repeat(100));
            default -> {}
          }
          return input;
        });
    Socket socket = connect();
    assertThat(failure(socket, "overflow")).endsWith("\r\n\r\nStackOverflowError");
    assertThat(failure(socket, "memory")).endsWith("\r\n\r\nJava heap space");
    assertThat(failure(socket, "linkage"))
        .endsWith("\r\n\r\njava.lang.NoClassDefFoundError: com/acme/Gone");
    assertThat(failure(socket, "evil")).startsWith("HTTP/1.1 500");
    assertThat(failure(socket, "surrogates")).endsWith("🌍").doesNotContain("?");
    write(socket, post("interrupted") + post("fine"));
    assertThat(answer(socket)).endsWith("\r\n\r\ninterrupted");
    assertThat(answer(socket)).endsWith("\r\n\r\nfine");
  }

  @Test
  void shouldAnswerAnErrorForAnAnswerOfAnotherType() throws Exception {
    serve(Input.TEXT, input -> 7);
    assertThat(answer(call(""))).startsWith("HTTP/1.1 500").endsWith("not a java.lang.Integer");
  }

  @Test
  void shouldFinishRequestsInHandWhenItStops() throws Exception {
    CountDownLatch called = new CountDownLatch(1);
    CountDownLatch finish = new CountDownLatch(1);
    serve(
        Input.TEXT,
        input -> {
          called.countDown();
          awaitUninterruptibly(finish);
          return input;
        });
    Socket idle = send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    assertThat(answer(idle)).startsWith("HTTP/1.1 200");
    Socket busy = send(post("first") + post("second"));
    called.await();

    server.stop();

    assertThat(idle.getInputStream().read()).isEqualTo(-1);
    assertThat(serving.isAlive()).isTrue();
    finish.countDown();
    assertThat(answer(busy)).endsWith("\r\n\r\nfirst");
    assertThat(answer(busy)).endsWith("\r\n\r\nsecond");
    assertThat(busy.getInputStream().read()).isEqualTo(-1);
    eventually().until(() -> !serving.isAlive());
  }

  @Test
  void shouldGiveUpAPeerThatStopsInTheMiddleOfARequestButKeepIdleOnes() throws Exception {
    serve(Input.TEXT, input -> input, Duration.ofMillis(300));
    Socket idle = call("x");
    assertThat(answer(idle)).endsWith("x");
    assertThat(send("POST /fn HT").getInputStream().read()).isEqualTo(-1);
    assertThat(send("POST /fn HTTP/1.1\r\nContent-Length: 9\r\n\r\nx").getInputStream().read())
        .isEqualTo(-1);
    write(idle, post("still here"));
    assertThat(answer(idle)).endsWith("still here");
  }

  @Test
  void shouldKeepConnectionsAboveTheLimitWaiting() throws Exception {
    serve(Input.TEXT, input -> input);
    List<Socket> most = new ArrayList<>();
    for (int i = 0; i < HttpServer.MAX_CONNECTIONS; i++) {
      Socket socket = call("x");
      assertThat(answer(socket)).endsWith("x");
      most.add(socket);
    }
    Socket waiting = call("late");
    most.getFirst().close();
    assertThat(answer(waiting)).endsWith("\r\n\r\nlate");
  }

  /** It would not stop, either, if a connection without a thread kept its slot. */
  @Test
  void shouldServeTheNextConnectionWhereThereWasNoThreadForOne() throws Exception {
    AtomicBoolean isFirst = new AtomicBoolean(true);
    serve(
        Input.TEXT,
        input -> input,
        Duration.ofSeconds(30),
        work -> {
          if (isFirst.getAndSet(false)) {
            throw new OutOfMemoryError("no thread for a connection");
          }
          return Thread.ofVirtual().unstarted(work);
        });
    assertThat(connect().getInputStream().read()).isEqualTo(-1);
    assertThat(answer(call("next"))).endsWith("\r\n\r\nnext");
  }

  @Test
  void shouldSendHeldAnswersAfterItHadNoThreadForThem() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    AtomicBoolean isFirst = new AtomicBoolean(true);
    serve(
        Input.TEXT,
        input -> {
          if (input.equals("slow")) {
            awaitUninterruptibly(release);
          }
          return input;
        },
        Duration.ofSeconds(30),
        work -> {
          if (!(work instanceof HttpConnection) && isFirst.getAndSet(false)) {
            throw new OutOfMemoryError("no thread for answers");
          }
          return Thread.ofVirtual().unstarted(work);
        });
    Socket socket = send(post("quick") + post("slow"));
    assertThat(answer(socket)).endsWith("\r\n\r\nquick");
    assertThat(isFirst).isFalse();
    release.countDown();
    assertThat(answer(socket)).endsWith("\r\n\r\nslow");
  }

  private String failure(Socket socket, String body) throws IOException {
    write(socket, post(body));
    return answer(socket);
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
