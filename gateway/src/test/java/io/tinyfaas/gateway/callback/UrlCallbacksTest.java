package io.tinyfaas.gateway.callback;

import static io.tinyfaas.gateway.callback.PlayedCallbacks.ADDRESS;
import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.gateway.Settings;
import io.tinyfaas.gateway.callback.Callback.ToUrl;
import io.tinyfaas.gateway.callback.Outcome.Failed;
import io.tinyfaas.gateway.callback.Outcome.Heard;
import io.tinyfaas.gateway.callback.Outcome.NotTaken;
import io.tinyfaas.gateway.callback.Outcome.Refused;
import io.tinyfaas.gateway.loop.EventLoops;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** To real servers, on an address that the operator allows; these say what the test wants. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class UrlCallbacksTest {

  private static final Duration LONG = patient(Duration.ofMinutes(1));

  /** For what never ends. */
  private static final Duration SHORT = Duration.ofMillis(1_500);

  private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(2));
  private final InvocationLoop loop = new InvocationLoop(new EventLoops(vertx));
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final AtomicInteger closed = new AtomicInteger();
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private ServerSocket server;

  /** What the server does on a connection once it has the request. */
  private interface Serving {
    void on(OutputStream out) throws IOException, InterruptedException;
  }

  @BeforeEach
  void listen() throws IOException {
    server = new ServerSocket(0, 50, InetAddress.getByName(ADDRESS));
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }

  private void serve(Serving serving) {
    Thread.ofPlatform().daemon().start(() -> accept(serving));
  }

  private void accept(Serving serving) {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        sockets.add(socket);
        Thread.ofPlatform().daemon().start(() -> serve(socket, serving));
      } catch (IOException e) {
        return; // it is closed
      }
    }
  }

  private void serve(Socket socket, Serving serving) {
    try (socket) {
      requests.add(request(socket.getInputStream()));
      serving.on(socket.getOutputStream());
      while (socket.getInputStream().read() >= 0) {
        Thread.onSpinWait(); // until the gateway closes it
      }
      closed.incrementAndGet();
    } catch (IOException | InterruptedException e) {
      closed.incrementAndGet(); // the gateway has
    }
  }

  private static String request(InputStream in) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    while (!bytes.toString(UTF_8).contains("\r\n\r\n")) {
      bytes.write(in.read());
    }
    String head = bytes.toString(UTF_8);
    int length = Integer.parseInt(head.replaceAll("(?is).*content-length: (\\d+).*", "$1"));
    return head + new String(in.readNBytes(length), UTF_8);
  }

  private static Serving answers(String head, String body) {
    return out ->
        out.write(
            ("HTTP/1.1 " + head + "\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                .getBytes(UTF_8));
  }

  private String url() {
    return "http://" + ADDRESS + ":" + server.getLocalPort() + "/hook?a=b";
  }

  private Callbacks callbacks(Duration timeout, UrlCallbacks.Resolver resolver) {
    return PlayedCallbacks.of(loop, Optional.empty(), resolver, timeout);
  }

  private Callbacks callbacks() {
    return callbacks(LONG, InetAddress::getAllByName);
  }

  private static Answer answer() {
    return new Answer(
        MultiMap.caseInsensitiveMultiMap()
            .set(HandlerHttp.METHOD_HEADER, "POST")
            .set(HandlerHttp.RESULT_OF_HEADER, "the-call")
            .set(HandlerHttp.RESULT_STATE_HEADER, "done")
            .set("Content-Type", "text/plain"),
        "did it".getBytes(UTF_8),
        1);
  }

  private CompletableFuture<Outcome> start(Callbacks callbacks, String url) {
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    loop.context()
        .runOnContext(
            now ->
                callbacks
                    .tell(Callback.parse(url), answer())
                    .outcome()
                    .onSuccess(outcome::complete));
    return outcome;
  }

  private Outcome tell(Callbacks callbacks, String url) {
    return start(callbacks, url).orTimeout(LONG.toMillis(), TimeUnit.MILLISECONDS).join();
  }

  @Test
  void shouldPostTheAnswerWithWhatHasBecomeOfTheCall() {
    serve(answers("204 None", ""));
    Callbacks callbacks = callbacks();

    assertThat(tell(callbacks, url())).isEqualTo(new Heard(204));

    assertThat(requests)
        .singleElement()
        .asString()
        .startsWith("POST /hook?a=b HTTP/1.1\r\n")
        .containsIgnoringCase("host: " + ADDRESS + ":" + server.getLocalPort())
        .containsIgnoringCase("x-tinyfaas-result-of: the-call")
        .containsIgnoringCase("x-tinyfaas-result-state: done")
        .containsIgnoringCase("content-type: text/plain")
        .doesNotContainIgnoringCase("x-tinyfaas-method")
        .endsWith("did it");
    eventually().untilAsserted(() -> assertThat(callbacks.underWay()).isZero());
  }

  @ParameterizedTest
  @CsvSource({
    "200, Heard", "201, Heard", "400, Refused", "404, Refused", "410, Refused", "408, Failed",
    "425, Failed", "429, Failed", "500, Failed", "503, Failed", "301, Refused", "302, Refused",
    "307, Refused", "304, Refused"
  })
  void shouldKnowByTheStatusWhetherToTryAgain(int status, String outcome) {
    serve(answers(status + " Any\r\nRetry-After: 7\r\nLocation: http://127.0.0.1/", ""));

    Outcome how = tell(callbacks(), url());

    assertThat(how.getClass().getSimpleName()).isEqualTo(outcome);
    if (how instanceof Failed(_, _, String retryAfter)) {
      assertThat(retryAfter).isEqualTo("7");
    }
    if (status >= 300 && status < 400) {
      assertThat(how.toString()).contains("redirects are not followed");
    }
    assertThat(requests).hasSize(1);
  }

  @Test
  void shouldSayALittleOfWhatTheServerSaid() {
    serve(answers("400 Bad", "you\r\nare wrong" + "x".repeat(1_000)));

    assertThat(tell(callbacks(), url()))
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> {
              assertThat(refused.status()).isEqualTo(400);
              assertThat(refused.why())
                  .startsWith("status 400: you are wrong")
                  .hasSizeLessThan(200);
            });
  }

  @Test
  void shouldEndWhatNeverAnswers() {
    serve(out -> {});

    assertThat(tell(callbacks(SHORT, InetAddress::getAllByName), url()))
        .isInstanceOfSatisfying(
            Failed.class, failed -> assertThat(failed.why()).contains("not answered within"));
    eventually().untilAsserted(() -> assertThat(closed).hasValue(1));
  }

  @Test
  void shouldEndAHeadThatComesByteByByte() {
    serve(
        out -> {
          out.write("HTTP/1.1 200 OK\r\nA: ".getBytes(UTF_8));
          while (true) {
            out.write('a');
            out.flush();
            Thread.sleep(100);
          }
        });

    assertThat(tell(callbacks(SHORT, InetAddress::getAllByName), url())).isInstanceOf(Failed.class);
    eventually().untilAsserted(() -> assertThat(closed).hasValue(1));
  }

  @Test
  void shouldGoByTheStatusWhereTheBodyNeverEnds() {
    serve(out -> out.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx".getBytes(UTF_8)));

    assertThat(tell(callbacks(SHORT, InetAddress::getAllByName), url())).isEqualTo(new Heard(200));
    eventually().untilAsserted(() -> assertThat(closed).hasValue(1));
  }

  @Test
  void shouldReadNoMoreThanALittle() {
    AtomicInteger sent = new AtomicInteger();
    serve(
        out -> {
          out.write("HTTP/1.1 500 Large\r\nContent-Length: 2000000000\r\n\r\n".getBytes(UTF_8));
          while (true) {
            out.write(new byte[1 << 16]);
            sent.addAndGet(1 << 16);
          }
        });

    assertThat(tell(callbacks(), url())).isInstanceOf(Failed.class);
    eventually().untilAsserted(() -> assertThat(closed).hasValue(1));
    assertThat(sent.get()).isLessThan(64 << 20);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "no HTTP at all\r\n\r\n", "HTTP/1.1 abc\r\n\r\n"})
  void shouldTryAgainWhatIsNoAnswer(String text) {
    serve(
        out -> {
          out.write(text.getBytes(UTF_8));
          throw new IOException("that was it");
        });

    assertThat(tell(callbacks(), url())).isInstanceOf(Failed.class);
  }

  @Test
  void shouldEndAHeadThatIsTooLarge() {
    serve(
        out -> {
          out.write("HTTP/1.1 200 OK\r\n".getBytes(UTF_8));
          for (int i = 0; i < 1_000; i++) {
            out.write(("A" + i + ": " + "x".repeat(100) + "\r\n").getBytes(UTF_8));
          }
        });

    assertThat(tell(callbacks(), url())).isInstanceOf(Failed.class);
  }

  @Test
  void shouldTryAgainWhereNobodyListens() throws IOException {
    String url = url();
    server.close();

    assertThat(tell(callbacks(), url))
        .isInstanceOfSatisfying(
            Failed.class, failed -> assertThat(failed.why()).contains("could not be reached"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://127.0.0.1/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/",
        "http://[::1]/",
        "http://2130706433/",
        "http://[fe80::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/"
      })
  void shouldRefuseAddressesThatAreNotPublic(String url) {
    Callbacks callbacks = callbacks();

    assertThat(callbacks.refusal(Callback.parse(url)).orElseThrow())
        .contains("TINYFAAS_FETCH_ALLOW");
    assertThat(tell(callbacks, url)).isInstanceOf(Refused.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {8080, 8081, 1883, 8000, 9000})
  void shouldRefuseTheBoxsOwnPortsWhateverIsAllowed(int port) {
    String url = "http://" + ADDRESS + ":" + port + "/";
    Callbacks callbacks = callbacks();

    assertThat(callbacks.refusal(Callback.parse(url)).orElseThrow()).contains("the box's own");
    assertThat(tell(callbacks, url)).isInstanceOf(Refused.class);
  }

  @Test
  void shouldRefuseANameOfAPrivateAddress() {
    serve(answers("200 OK", ""));
    Callbacks callbacks =
        callbacks(LONG, host -> new InetAddress[] {InetAddress.getByName("127.0.0.1")});
    String url = "http://public.example:" + server.getLocalPort() + "/";

    assertThat(callbacks.refusal(Callback.parse(url))).isEmpty();
    assertThat(tell(callbacks, url))
        .isInstanceOfSatisfying(
            Refused.class, refused -> assertThat(refused.why()).contains("not public"));
    assertThat(requests).isEmpty();
  }

  /** A name server that says one thing to whoever checks, and another to whoever connects. */
  @Test
  void shouldConnectToTheAddressThatWasLookedAt() {
    serve(answers("200 OK", ""));
    AtomicInteger asked = new AtomicInteger();
    Callbacks callbacks =
        callbacks(
            LONG,
            host ->
                new InetAddress[] {
                  InetAddress.getByName(asked.getAndIncrement() == 0 ? ADDRESS : "127.0.0.1")
                });

    String url = "http://rebinding.example:" + server.getLocalPort() + "/";
    assertThat(tell(callbacks, url)).isEqualTo(new Heard(200));
    assertThat(asked).hasValue(1);
    assertThat(requests)
        .singleElement()
        .asString()
        .containsIgnoringCase("host: rebinding.example:" + server.getLocalPort());
    assertThat(tell(callbacks, url)).isInstanceOf(Refused.class);
  }

  @Test
  void shouldTryAgainANameThatNobodyKnows() {
    Callbacks callbacks =
        callbacks(
            LONG,
            host -> {
              throw new UnknownHostException(host);
            });

    assertThat(tell(callbacks, "http://nobody.example/"))
        .isInstanceOfSatisfying(
            Failed.class, failed -> assertThat(failed.why()).contains("no address"));
  }

  @Test
  void shouldNotWaitForNameServers() throws InterruptedException {
    CompletableFuture<Void> gate = new CompletableFuture<>();
    Callbacks callbacks =
        callbacks(
            SHORT,
            host -> {
              gate.join();
              throw new UnknownHostException(host);
            });

    assertThat(tell(callbacks, "http://slow.example/"))
        .isInstanceOfSatisfying(
            Failed.class, failed -> assertThat(failed.why()).contains("not answered within"));
    gate.complete(null);
  }

  @Test
  void shouldHaveABoundedNumberUnderWayAndLeaveSomeToOthers() {
    CompletableFuture<Void> gate = new CompletableFuture<>();
    serve(
        out -> {
          gate.join();
          answers("200 OK", "").on(out);
        });
    Callbacks callbacks =
        callbacks(LONG, host -> new InetAddress[] {InetAddress.getByName(ADDRESS)});
    List<CompletableFuture<Outcome>> all = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      all.add(start(callbacks, url()));
    }
    String other = "http://other.example:" + server.getLocalPort() + "/";
    for (int i = 0; i < 10; i++) {
      all.add(start(callbacks, other));
    }
    eventually()
        .until(
            () -> all.stream().filter(CompletableFuture::isDone).count() == 40 - UrlCallbacks.MAX);
    eventually().untilAsserted(() -> assertThat(requests).hasSize(UrlCallbacks.MAX));
    assertThat(requests.stream().filter(request -> request.contains("other.example"))).isNotEmpty();
    gate.complete(null);

    List<Outcome> outcomes = all.stream().map(CompletableFuture::join).toList();
    assertThat(outcomes).filteredOn(Heard.class::isInstance).hasSize(UrlCallbacks.MAX);
    assertThat(outcomes).filteredOn(NotTaken.class::isInstance).hasSize(40 - UrlCallbacks.MAX);
    assertThat(tell(callbacks, url())).isInstanceOf(Heard.class);
  }

  @Test
  void shouldRefuseARangeOfAddressesThatIsNone() {
    CallbackSettings settings =
        Settings.with(CallbackSettings.class, "tinyfaas.fetch-allow", "the-lan");

    assertThatThrownBy(() -> new UrlCallbacks(loop, new EventLoops(vertx), settings))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("TINYFAAS_FETCH_ALLOW has \"the-lan\"");
  }

  /** In a container's network these are all that it can know of the box. */
  @Test
  void shouldRefuseTheAddressesThatItWasToldOfAndThoseOfItsNetwork() {
    CallbackSettings settings =
        Settings.with(CallbackSettings.class, "tinyfaas.box-names", "box.lan 8.8.4.4 2606:4700::7");
    UrlCallbacks urls = new UrlCallbacks(loop, new EventLoops(vertx), settings);

    assertThat(urls.refusal((ToUrl) Callback.parse("http://8.8.4.4/"))).isPresent();
    assertThat(urls.refusal((ToUrl) Callback.parse("http://[2606:4700::7]/"))).isPresent();
    assertThat(urls.refusal((ToUrl) Callback.parse("http://8.8.8.8/"))).isEmpty();
    for (String own : new OwnAddresses().get()) {
      String host = own.indexOf(':') < 0 ? own : "[" + own.replaceFirst("%.*", "") + "]";
      assertThat(urls.refusal((ToUrl) Callback.parse("http://" + host + "/"))).as(own).isPresent();
    }
  }

  @Test
  void shouldEndWhatIsCalledOff() {
    serve(out -> {});
    Callbacks callbacks = callbacks();
    CompletableFuture<Telling> begun = new CompletableFuture<>();
    loop.context()
        .runOnContext(now -> begun.complete(callbacks.tell(Callback.parse(url()), answer())));
    eventually().until(() -> requests.size() == 1);

    loop.context().runOnContext(now -> begun.join().callOff());

    eventually().untilAsserted(() -> assertThat(closed).hasValue(1));
    eventually().untilAsserted(() -> assertThat(callbacks.underWay()).isZero());
    assertThat(((ToUrl) Callback.parse(url())).host()).isEqualTo(ADDRESS);
  }
}
