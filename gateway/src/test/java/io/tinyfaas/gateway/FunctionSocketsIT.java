package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.route.Route;
import io.tinyfaas.gateway.FunctionSocketClient.Answer;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** When there is a socket for a function, from its handler's coming to its leaving. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class FunctionSocketsIT {

  private static final long LONG = 120_000;

  @TempDir Path folder;

  private final HttpClient client = HttpClient.newHttpClient();
  private final HeldFunction held = new HeldFunction();
  private ServedGateway system;
  private PlayedCaller caller;
  private TestHandler called;

  @BeforeEach
  void start() throws IOException {
    system =
        new ServedGateway(folder, Map.of("TINYFAAS_HTTP_HEADER_TIMEOUT", "1s"), this::function);
    caller = new PlayedCaller(system.vertx(), folder, "a", this::function);
    called = new TestHandler(system.vertx(), folder, this::function);
  }

  @AfterEach
  void stop() {
    client.close();
    caller.close();
    called.close();
    system.close();
  }

  private void function(HttpServerRequest request, Buffer body) {
    if ("/held".equals(request.getHeader("X-tinyFaaS-Path"))) {
      held.answer(request, body);
    } else {
      request.response().end("done");
    }
  }

  private Route calling() {
    return PlayedManager.calling("a", LONG, List.of("b"), caller.handler());
  }

  private Route leaf() {
    return PlayedManager.route("b", LONG, called.handler());
  }

  private Answer ask(String target) {
    return FunctionSocketClient.ask(caller.socket(), "POST", target, "");
  }

  private CompletableFuture<HttpResponse<String>> outside(String target) {
    return client.sendAsync(
        HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + system.process().httpPort() + target))
            .build(),
        BodyHandlers.ofString());
  }

  @Test
  void shouldBeThereWhenItsHandlerIsRoutedAndNoLongerThanThat() {
    assertThat(caller.socket()).doesNotExist();
    system.serve(calling(), leaf());
    assertThat(ask("/functions/b").status()).isEqualTo(200);

    system.manager().apply(1, 2, leaf());
    eventually().untilAsserted(() -> assertThat(caller.socket()).doesNotExist());

    system.manager().apply(1, 3, calling(), leaf());
    assertThat(ask("/functions/b").status()).isEqualTo(200);
  }

  @Test
  void shouldBeThereUntilItsHandlerHasAnswered() {
    system.serve(calling(), leaf());
    CompletableFuture<HttpResponse<String>> running = outside("/a/held");
    held.await(1);
    system.manager().apply(1, 2, leaf());

    assertThat(ask("/functions/b").status()).isEqualTo(200);
    held.release();
    assertThat(running.join().statusCode()).isEqualTo(200);
    eventually().untilAsserted(() -> assertThat(caller.socket()).doesNotExist());
  }

  @Test
  void shouldAnswerWhatItWasAskedBeforeItIsClosed() throws IOException {
    system.serve(calling(), leaf());
    try (FunctionSocketClient asking = new FunctionSocketClient(caller.socket())) {
      asking.send("POST", "/functions/b/held", "");
      held.await(1);
      system.manager().apply(1, 2, leaf());
      held.release();
      assertThat(asking.answer().status()).isEqualTo(200);
    }
    eventually().untilAsserted(() -> assertThat(caller.socket()).doesNotExist());
  }

  @Test
  void shouldGoByWhatTheFunctionMayCallNow() {
    system.serve(calling(), leaf());
    system
        .manager()
        .apply(1, 2, PlayedManager.calling("a", LONG, List.of("c"), caller.handler()), leaf());
    assertThat(ask("/functions/b").status()).isEqualTo(403);
    assertThat(ask("/functions/c").status()).isEqualTo(404);
  }

  @Test
  void shouldListenAsSoonAsThereIsAFolder() throws IOException {
    Files.delete(caller.socket().getParent());
    system.serve(calling(), leaf());
    assertThat(outside("/a").join().statusCode()).isEqualTo(200);
    assertThat(system.process().log())
        .anySatisfy(line -> assertThat(line).contains("the manager has not made its folder"));

    caller.makeFolder();
    eventually().untilAsserted(() -> assertThat(caller.socket()).exists());
    eventually().ignoreExceptions().until(() -> ask("/functions/b").status() == 200);
  }

  @Test
  void shouldListenAgainWhereItsFileIsGone() throws IOException {
    system.serve(calling(), leaf());
    Files.delete(caller.socket());

    eventually().ignoreExceptions().until(() -> ask("/functions/b").status() == 200);
  }

  @Test
  void shouldBeThereForAHandlerThatLeavesAndComesBackAtOnce() {
    system.serve(calling(), leaf());
    for (int number = 2; number < 20; number += 2) {
      system.manager().publish(1, number, leaf());
      system.manager().apply(1, number + 1, calling(), leaf());
    }
    eventually().ignoreExceptions().until(() -> ask("/functions/b").status() == 200);
  }

  @Test
  void shouldTakeThePlaceOfASocketOfAnEarlierLife() {
    system.serve(calling(), leaf());
    system.process().kill();
    assertThat(caller.socket()).exists();
    system.startAgain();
    eventually().ignoreExceptions().until(() -> ask("/functions/b").status() == 200);
  }

  @Test
  void shouldNotLetOneFunctionKeepAnother() throws IOException {
    system.serve(calling(), leaf());
    try (FunctionSocketClient slow = new FunctionSocketClient(caller.socket())) {
      slow.send("POST /functions/b HTTP/1.1\r\n");
      assertThat(slow.readAll()).isEmpty(); // a header has a second here
    }
    assertThat(ask("/functions/b").status()).isEqualTo(200);
  }

  @Test
  void shouldDoWhatFunctionsWaitForWhileItStops() throws IOException {
    system.serve(calling(), leaf());
    CompletableFuture<HttpResponse<String>> running = outside("/a/held");
    held.await(1);
    system.process().terminate();
    eventually()
        .untilAsserted(
            () ->
                assertThat(outside("/b").handle((answer, gone) -> refused(answer)).join())
                    .isTrue());

    assertThat(ask("/functions/b").status()).isEqualTo(200);
    held.release();
    assertThat(running.join().statusCode()).isEqualTo(200);
    assertThat(system.process().awaitExit()).isEqualTo(143);
  }

  private static boolean refused(HttpResponse<String> answer) {
    return answer == null || answer.statusCode() == 503;
  }
}
