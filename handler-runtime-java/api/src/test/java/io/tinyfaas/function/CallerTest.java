package io.tinyfaas.function;

import static io.tinyfaas.function.StandInGateway.always;
import static io.tinyfaas.function.StandInGateway.request;
import static io.tinyfaas.function.StandInGateway.say;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class CallerTest {

  private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  private static final Delivery ONCE = Delivery.durable().withIdempotencyKey("k");

  @TempDir Path folder;
  private StandInGateway gateway;

  /** Each thread of JUnit's serves a request of its own, so to say. */
  @BeforeEach
  @AfterEach
  void serveNothing() {
    Serving.begin(Map.of());
  }

  @AfterEach
  void close() throws IOException {
    if (gateway != null) {
      gateway.close();
    }
  }

  private Caller caller(StandInGateway.Conversation conversation) throws IOException {
    return caller(conversation, 1000);
  }

  private Caller caller(StandInGateway.Conversation conversation, int maxBody) throws IOException {
    gateway = new StandInGateway(folder, conversation);
    return new Caller(Optional.of(gateway.socket()), maxBody);
  }

  /** Answers with what it was asked. */
  private static void mirror(SocketChannel connection, int number) throws IOException {
    for (String asked = request(connection); asked != null; asked = request(connection)) {
      say(connection, "HTTP/1.1 200 OK\r\nContent-Length: " + asked.length() + "\r\n\r\n" + asked);
    }
  }

  private static Request text(String text) {
    return Request.of(text);
  }

  @Test
  void shouldCallAFunctionAndAnswerWhatItAnswers() throws Exception {
    BlockingQueue<String> came = new LinkedBlockingQueue<>();
    Caller caller =
        caller(
            (connection, number) -> {
              came.add(request(connection));
              say(connection, "HTTP/1.1 418 \r\nX-Tea: green\r\nX-Tea: cold\r\n");
              say(connection, "Content-Length: 15\r\n\r\nshort and stout");
            });
    Request on =
        new Request("PUT", "/on%20", "loud=1", Map.of("X-Why", "ü"), new byte[] {0, -1, 13});
    Answer answer = caller.call("alarm", on, Delivery.DIRECT);
    assertThat(answer.status()).isEqualTo(418);
    assertThat(answer.header("x-tea")).hasValue("green, cold");
    assertThat(answer.text()).isEqualTo("short and stout");
    assertThat(answer.call()).isEmpty();
    assertThat(came.take())
        .isEqualTo(
            "PUT /functions/alarm/on%20?loud=1 HTTP/1.1\r\nHost: box\r\nContent-Length: 3\r\n"
                + "X-Why: ü\r\n\r\n\0ÿ\r");
  }

  @Test
  void shouldGiveBytesBackAsTheyWere() throws IOException {
    Caller caller = caller(CallerTest::mirror, 600_000);
    byte[] body = new byte[500_000];
    for (int i = 0; i < body.length; i++) {
      body[i] = (byte) (i * 7);
    }
    byte[] mirrored =
        caller.call("a", new Request("POST", "", "", Map.of(), body), Delivery.DIRECT).body();
    assertThat(Arrays.copyOfRange(mirrored, mirrored.length - body.length, mirrored.length))
        .isEqualTo(body);
  }

  @Test
  void shouldReadChunksAndInterimAnswersAndAnswersWithoutABody() throws IOException {
    Caller chunks =
        caller(
            always(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "2;x=y\r\nha\r\n1\r\nt\r\n0\r\nTrailer: 1\r\n\r\n"));
    for (int i = 0; i < 3; i++) {
      assertThat(chunks.call("a", text(""), Delivery.DIRECT).text()).isEqualTo("hat");
    }
    assertThat(gateway.connections()).isEqualTo(1);
    gateway.close();
    Caller nothing = caller(always("HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n"));
    assertThat(nothing.call("a", text(""), Delivery.DIRECT).body()).isEmpty();
    assertThat(nothing.call("a", text(""), Delivery.DIRECT).status()).isEqualTo(204);
  }

  @Test
  void shouldHaveADurableCallAccepted() throws Exception {
    BlockingQueue<String> came = new LinkedBlockingQueue<>();
    Caller caller =
        caller(
            (connection, number) -> {
              came.add(request(connection));
              say(
                  connection,
                  "HTTP/1.1 202 \r\nLocation: /calls/17ab\r\nContent-Length: 0\r\n\r\n");
            });
    assertThat(caller.call("a", text("x"), ONCE.after(Duration.ofSeconds(10))).call())
        .hasValue("17ab");
    assertThat(came.take())
        .contains("Prefer: respond-async", "X-tinyFaaS-Delay: 10000ms", "Idempotency-Key: k");
  }

  @Test
  void shouldPassOnWhatEachThreadServes() throws Exception {
    Caller caller = caller(CallerTest::mirror);
    long deadline = System.currentTimeMillis() + 3_600_000;
    CyclicBarrier together = new CyclicBarrier(8);
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<Future<String>> answers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      Map<String, String> served =
          Map.of(
              "x-tinyfaas-deadline",
              Long.toString(deadline + i),
              "x-tinyfaas-depth",
              Integer.toString(i),
              "traceparent",
              "00-" + i,
              "tracestate",
              "a=" + i);
      answers.add(
          threads.submit(
              () -> {
                Serving.begin(served);
                together.await();
                return caller.call("a", text(""), Delivery.DIRECT).text();
              }));
    }
    for (int i = 0; i < 8; i++) {
      assertThat(answers.get(i).get())
          .contains(
              "x-tinyfaas-deadline: " + (deadline + i) + "\r\n",
              "x-tinyfaas-depth: " + i + "\r\n",
              "traceparent: 00-" + i + "\r\n",
              "tracestate: a=" + i + "\r\n");
    }
    threads.shutdown();
  }

  @Test
  void shouldTakeATraceOfTheFunctionsOwnButNoDepth() throws IOException {
    Caller caller = caller(CallerTest::mirror);
    Serving.begin(Map.of("x-tinyfaas-depth", "3", "traceparent", "00-theirs"));
    Map<String, String> own =
        Map.of(
            "TraceParent", "00-own",
            "X-tinyFaaS-Depth", "0",
            "Connection", "close",
            "Content-Length", "7",
            "Host", "there");
    String sent =
        caller.call("a", new Request("GET", "", "", own, new byte[0]), Delivery.DIRECT).text();
    assertThat(sent)
        .contains("TraceParent: 00-own", "X-tinyFaaS-Depth: 3", "Host: box", "Content-Length: 0")
        .doesNotContain("close", "theirs", "there\r", ": 7");
  }

  @ParameterizedTest
  @CsvSource({"403, not-in-calls", "404, unknown-function", "508, too-deep", "504, timeout"})
  void shouldSayWhatTheGatewaySaysAgainstACall(int status, String type) throws IOException {
    String problem =
        "{\"type\":\"urn:tinyfaas:problem:%s\",\"title\":\"No\",\"status\":%d,\"detail\":\"Name it in \\\"calls\\\" \\u00fc.\"}"
            .formatted(type, status);
    Caller caller =
        caller(
            always(
                "HTTP/1.1 %d \r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n%s"
                    .formatted(status, problem.length(), problem)));
    assertThatExceptionOfType(CallException.class)
        .isThrownBy(() -> caller.call("alarm", text(""), Delivery.DIRECT))
        .withMessage("alarm is not called (" + status + "): No. Name it in \"calls\" ü.")
        .satisfies(e -> assertThat(e.status()).isEqualTo(status))
        .satisfies(e -> assertThat(e.type()).hasValue(type));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"type\": \"urn:of:its:own\"}", "no JSON", "", "[]"})
  void shouldTakeAProblemOfTheCalledFunctionForItsAnswer(String body) throws IOException {
    Caller caller =
        caller(
            always(
                "HTTP/1.1 400 \r\nContent-Type: application/problem+json\r\nContent-Length: "
                    + body.length()
                    + "\r\n\r\n"
                    + body));
    assertThat(caller.call("a", text(""), Delivery.DIRECT).text()).isEqualTo(body);
  }

  @Test
  void shouldSayThatTheSpecificationNamesNoCalls() {
    assertThatExceptionOfType(CallException.class)
        .isThrownBy(() -> Functions.call("alarm", text("")))
        .withMessageContaining("in its specification: \"calls\": [\"alarm\"]");
  }

  @Test
  void shouldSayThatNoGatewayIsThere() {
    Caller caller = new Caller(Optional.of(folder.resolve("nowhere.sock")), 1000);
    assertThatExceptionOfType(CallException.class)
        .isThrownBy(() -> caller.call("alarm", text(""), Delivery.DIRECT))
        .withMessageStartingWith("alarm is not called: the gateway cannot be reached");
  }

  @ParameterizedTest
  @MethodSource("noCalls")
  void shouldRefuseWhatIsNoCall(String function, Request request, String why) throws IOException {
    Caller caller = caller(always(OK));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> caller.call(function, request, Delivery.DIRECT))
        .withMessageContaining(why);
    assertThat(gateway.connections()).isZero();
  }

  static List<Object[]> noCalls() {
    byte[] nothing = new byte[0];
    return List.of(
        new Object[] {"", text(""), "the name of a function"},
        new Object[] {"a", new Request("POST", "x", "", Map.of(), nothing), "slash"},
        new Object[] {"a", new Request("POST", "/a b", "", Map.of(), nothing), "percent"},
        new Object[] {"a", new Request("POST", "/", "ü", Map.of(), nothing), "percent"},
        new Object[] {"a", new Request("POST", "/\r\nX: y", "", Map.of(), nothing), "percent"},
        new Object[] {"a", new Request("CONNECT", "", "", Map.of(), nothing), "CONNECT"},
        new Object[] {"a", new Request("A B", "", "", Map.of(), nothing), "A B"},
        new Object[] {"a", new Request("POST", "", "", Map.of("X", "a\r\nb"), nothing), "X"},
        new Object[] {"a", new Request("POST", "", "", Map.of("X y", "a"), nothing), "X y"});
  }

  @Test
  void shouldRefuseABodyThatIsTooLargeAndACallThatIsTooLate() throws IOException {
    Caller caller = caller(always(OK));
    assertThatExceptionOfType(CallException.class)
        .isThrownBy(() -> caller.call("a", text("x".repeat(1001)), Delivery.DIRECT))
        .withMessage("a is not called: the body has 1001 bytes, and may have 1000.");
    Serving.begin(Map.of("x-tinyfaas-deadline", "1"));
    assertThatExceptionOfType(CallException.class)
        .isThrownBy(() -> caller.call("a", text(""), Delivery.DIRECT))
        .withMessageContaining("its time is over");
    assertThat(gateway.connections()).isZero();
  }

  @Test
  void shouldWriteTheNameSoThatItStaysOne() throws IOException {
    assertThat(caller(CallerTest::mirror).call("a/../b ü?", text(""), Delivery.DIRECT).text())
        .startsWith("POST /functions/a%2F..%2Fb%20%C3%BC%3F HTTP/1.1\r\n");
  }

  @Test
  void shouldEndAtTheDeadlineOrAtItsOwnTimeout() throws IOException {
    CountDownLatch never = new CountDownLatch(1);
    Caller caller =
        caller(
            (connection, number) -> {
              try {
                never.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    Delivery soon = Delivery.DIRECT.within(Duration.ofMillis(50));
    assertThatExceptionOfType(CallException.class)
        .isThrownBy(() -> caller.call("alarm", text(""), soon))
        .withMessage("alarm has not answered in time.");
    Serving.begin(Map.of("x-tinyfaas-deadline", Long.toString(System.currentTimeMillis() + 200)));
    assertThatExceptionOfType(CallException.class)
        .isThrownBy(() -> caller.call("alarm", text(""), Delivery.DIRECT))
        .withMessage("alarm has not answered in time.");
    never.countDown();
  }

  @Test
  void shouldTellTheCalledFunctionOfItsOwnTimeout() throws IOException {
    long before = System.currentTimeMillis();
    Serving.begin(Map.of("x-tinyfaas-deadline", Long.toString(before + 9_000_000)));
    String sent =
        caller(CallerTest::mirror)
            .call("a", text(""), Delivery.DIRECT.within(Duration.ofMinutes(10)))
            .text();
    long own = Long.parseLong(sent.replaceFirst("(?s).*x-tinyfaas-deadline: (\\d+)\r.*", "$1"));
    assertThat(own).isBetween(before + 600_000, System.currentTimeMillis() + 600_000);
  }

  @ParameterizedTest
  @MethodSource("badAnswers")
  void shouldTellAnAnswerThatIsCutShortTooLargeOrNone(String said, String why) throws IOException {
    Caller caller =
        caller(
            (connection, number) -> {
              request(connection);
              say(connection, said);
            });
    assertThatExceptionOfType(CallException.class)
        .isThrownBy(() -> caller.call("alarm", text(""), Delivery.DIRECT))
        .withMessageContaining(why);
  }

  static List<Object[]> badAnswers() {
    return List.of(
        new Object[] {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "alarm was cut short"},
        new Object[] {
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
          "alarm was cut short"
        },
        new Object[] {"HTTP/1.1 2", "alarm was cut short"},
        new Object[] {"", "before alarm answered, which may have run"},
        new Object[] {"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", "more than 1000 bytes"},
        new Object[] {
          "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "how long it is"
        },
        new Object[] {
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", "more than 1000 bytes"
        },
        new Object[] {
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
          "how long it is"
        },
        new Object[] {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "no size"},
        new Object[] {
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "too long"
        },
        new Object[] {"HTTP/1.1 200 OK\r\n\r\nlike 1995", "does not say how long it is"},
        new Object[] {"Hello\r\n\r\n", "not one of HTTP/1.1"},
        new Object[] {"HTTP/1.1 200 OK\n\n", "CR LF"},
        new Object[] {"HTTP/1.1 200 OK\r\nno header\r\n\r\n", "not valid"},
        new Object[] {"HTTP/1.1 200 OK\r\n" + "a: b\r\n".repeat(101) + "\r\n", "100 headers"},
        new Object[] {"HTTP/1.1 200 OK\r\nX: " + "a".repeat(20_000) + "\r\n\r\n", "too long"},
        new Object[] {"HTTP/1.1 103 Early\r\n\r\n".repeat(9), "more than 8"});
  }

  @Test
  void shouldUseAtMost16ConnectionsAgainAndAgain() throws Exception {
    CountDownLatch sixteen = new CountDownLatch(16);
    CountDownLatch opened = new CountDownLatch(1);
    Caller caller =
        caller(
            (connection, number) -> {
              while (request(connection) != null) {
                sixteen.countDown();
                try {
                  opened.await();
                } catch (InterruptedException e) {
                  return;
                }
                say(connection, OK);
              }
            });
    ExecutorService threads = Executors.newFixedThreadPool(50);
    List<Future<String>> answers = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      answers.add(threads.submit(() -> caller.call("a", text(""), Delivery.DIRECT).text()));
    }
    assertThat(sixteen.await(60, TimeUnit.SECONDS)).isTrue();
    opened.countDown();
    for (Future<String> answer : answers) {
      assertThat(answer.get()).isEqualTo("ok");
    }
    assertThat(gateway.connections()).isEqualTo(16);
    threads.shutdown();
  }

  /** The first connection answers once, and takes the second request only to close. */
  private static void closeAfterTheFirst(SocketChannel connection, int number) throws IOException {
    request(connection);
    say(connection, OK);
    if (request(connection) != null && number > 0) {
      say(connection, OK);
    }
  }

  @Test
  void shouldRepeatOnAnotherConnectionOnlyWhatNobodyCanHaveRun() throws IOException {
    Caller repeating = caller(CallerTest::closeAfterTheFirst);
    repeating.call("a", text(""), Delivery.DIRECT);
    assertThat(repeating.call("a", text(""), ONCE).text()).isEqualTo("ok");
    assertThat(gateway.connections()).isEqualTo(2);
    gateway.close();
    for (Delivery delivery : List.of(Delivery.DIRECT, Delivery.durable())) {
      Caller caller = caller(CallerTest::closeAfterTheFirst);
      caller.call("a", text(""), Delivery.DIRECT);
      assertThatExceptionOfType(CallException.class)
          .isThrownBy(() -> caller.call("a", text(""), delivery))
          .withMessageContaining("closed the connection before a answered, which may have run");
      assertThat(gateway.connections()).isEqualTo(1);
      gateway.close();
    }
  }

  @Test
  void shouldGoOnWhenTheGatewayHasClosedTheConnectionsThatWereKept() throws IOException {
    Caller caller = caller(always(OK));
    for (int i = 1; i <= 20; i++) {
      assertThat(caller.call("a", text(""), Delivery.DIRECT).text()).isEqualTo("ok");
      assertThat(gateway.connections()).isEqualTo(i);
      gateway.closeConnections();
    }
  }

  @Test
  void shouldRefuseADeliveryThatIsNone() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Delivery.DIRECT.withIdempotencyKey("k"))
        .withMessageContaining("durable");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Delivery.durable().after(Duration.ofSeconds(-1)));
    assertThatIllegalArgumentException().isThrownBy(() -> Delivery.DIRECT.within(Duration.ZERO));
  }

  @Test
  void shouldHaveNoCallInAnAnswerThatIsNotAccepted() {
    Map<String, String> location = Map.of("location", "/calls/1");
    byte[] body = "ü".getBytes(StandardCharsets.UTF_8);
    assertThat(new Answer(201, location, body).call()).isEmpty();
    assertThat(new Answer(202, Map.of("Location", "/calls/1/result"), body).call()).isEmpty();
    assertThat(new Answer(202, location, body).call()).hasValue("1");
    assertThat(new Answer(202, location, body).text()).isEqualTo("ü");
  }
}
