package io.tinyfaas.gateway.invoke;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.channel.unix.DomainSocketAddress;
import io.tinyfaas.gateway.invoke.Attempt.Reply;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.BadAnswer;
import io.tinyfaas.gateway.invoke.InvocationResult.Overloaded;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.net.NetSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One handler's connections, with a handler that does with them what handlers may do. */
class HandlerClientTest {

  private static final InetAddress PEER = InetAddress.ofLiteral("192.0.2.1");
  private static final InetAddress OTHER_PEER = InetAddress.ofLiteral("192.0.2.2");
  private static final int MAX_BODY = 64 * 1_024;
  private static final int MAX_CONNECTIONS = 64;
  private static final long MEMORY = 2L * MAX_BODY;

  @TempDir private Path folder;
  private final Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));

  /** With loops of its own, since some tests hold up the client's. */
  private final Vertx handlerVertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));

  private final InvocationLoop loop = new InvocationLoop(vertx);
  private final BodyMemory memory = new BodyMemory(MEMORY);
  private Path socket;
  private PipelinedHandler handler;
  private HandlerClient client;

  @BeforeEach
  void start() {
    socket = folder.resolve("http.sock");
    handler = new PipelinedHandler(handlerVertx, socket);
    client =
        new HandlerClient(
            loop, new DomainSocketAddress(socket.toFile()), MAX_BODY, MAX_CONNECTIONS, memory);
  }

  @AfterEach
  void stop() {
    client.close();
    handler.close();
    vertx.close().toCompletionStage().toCompletableFuture().join();
    handlerVertx.close().toCompletionStage().toCompletableFuture().join();
    assertThat(memory.take(MEMORY)).as("all memory is given back").isTrue();
  }

  private record Sent(Attempt attempt, CompletableFuture<Reply> reply) {

    /** Status and body, or what it is instead. */
    String outcome() {
      return switch (reply.orTimeout(5, TimeUnit.SECONDS).join()) {
        case Reply.NotDelivered _ -> "not delivered";
        case Reply.Final(Answered(int status, _, byte[] body)) ->
            status + " " + new String(body, StandardCharsets.ISO_8859_1);
        case Reply.Final(BadAnswer(String why)) -> "bad: " + why;
        case Reply.Final(Overloaded _) -> "overloaded";
        case Reply.Final(InvocationResult other) -> other.outcome();
      };
    }
  }

  /** On the loop, in one turn of it. */
  private <T> T onLoop(Supplier<T> task) {
    CompletableFuture<T> done = new CompletableFuture<>();
    loop.context().runOnContext(now -> done.completeAsync(task, Runnable::run));
    return done.orTimeout(5, TimeUnit.SECONDS).join();
  }

  private Sent send(String path) {
    return send(path, new byte[0]);
  }

  private Sent send(String path, byte[] body) {
    return send(PEER, path, body);
  }

  private Sent send(InetAddress peer, String path, byte[] body) {
    MultiMap headers = MultiMap.caseInsensitiveMultiMap().add("X-tinyFaaS-Path", path);
    CompletableFuture<Reply> reply = new CompletableFuture<>();
    Attempt attempt =
        client.send(new Invocation("f", Protocol.COAP, peer, headers, body), reply::complete);
    return new Sent(attempt, reply);
  }

  private List<Sent> sendAll(List<String> paths) {
    return onLoop(() -> paths.stream().map(this::send).toList());
  }

  private static List<String> paths(String what, int count) {
    return IntStream.range(0, count).mapToObj(n -> "/" + what + "/" + n).toList();
  }

  /** So that its connections are shared. */
  private void showThatTheHandlerIsQuick() {
    int calls = 0;
    while (onLoop(() -> client.pipelining().depth()) < 16 && calls++ < 20_000) {
      onLoop(() -> send("/echo/0")).outcome();
    }
    handler.requests().clear();
  }

  @Test
  void shouldSendOneCallPerConnectionToAHandlerItDoesNotKnow() {
    List<Sent> sent = sendAll(paths("echo", 100));
    assertThat(sent)
        .extracting(Sent::outcome)
        .containsExactlyElementsOf(IntStream.range(0, 100).mapToObj(n -> "200 echo " + n).toList());
    assertThat(handler.most()).isEqualTo(1);
    assertThat(handler.connections()).hasSize(MAX_CONNECTIONS);
  }

  @Test
  void shouldLetOnePeerWaitBehindItselfOnly() {
    List<Sent> sent =
        onLoop(
            () -> {
              List<Sent> all =
                  new ArrayList<>(paths("many", 500).stream().map(this::send).toList());
              all.add(send(OTHER_PEER, "/few/0", new byte[0]));
              all.add(send(OTHER_PEER, "/few/1", new byte[0]));
              return all;
            });
    assertThat(sent).extracting(Sent::outcome).allMatch(outcome -> outcome.startsWith("200"));
    assertThat(handler.requests()).hasSize(502);
    assertThat(handler.requests().subList(0, MAX_CONNECTIONS + 8))
        .as("at most those that were on a connection come first")
        .contains("few 0", "few 1");
  }

  @Test
  void shouldForgetWhatIsCalledOffWhileItWaits() {
    List<Sent> first = sendAll(paths("never", MAX_CONNECTIONS));
    await().until(() -> handler.requests().size() == MAX_CONNECTIONS);
    Sent calledOff = onLoop(() -> send(OTHER_PEER, "/echo/1", new byte[0]));
    Sent next = onLoop(() -> send("/echo/2"));
    assertThat(onLoop(() -> calledOff.attempt().cancel())).isTrue();
    assertThat(onLoop(() -> first.getFirst().attempt().cancel())).isTrue();
    assertThat(next.outcome()).isEqualTo("200 echo 2");
    assertThat(handler.requests()).doesNotContain("echo 1");
    assertThat(calledOff.reply()).isNotDone();
  }

  @Test
  void shouldShareConnectionsOfAHandlerThatIsQuick() {
    showThatTheHandlerIsQuick();
    assertThat(handler.connections()).hasSize(1);
    for (int round = 0; round < 3; round++) {
      assertThat(sendAll(paths("echo", 400)))
          .extracting(Sent::outcome)
          .containsExactlyElementsOf(
              IntStream.range(0, 400).mapToObj(n -> "200 echo " + n).toList());
    }
    assertThat(handler.most()).isBetween(2, 32);
  }

  /**
   * Fast calls, one after the other, beside slow ones: at most those are held up that were behind
   * the first slow ones, before the handler was known to be one of this kind.
   */
  @Test
  void shouldNotLetSlowCallsHoldUpFastOnes() {
    showThatTheHandlerIsQuick();
    List<Long> fast = new ArrayList<>();
    List<Sent> slow = new ArrayList<>();
    for (int round = 0; round < 100; round++) {
      int from = round;
      slow.addAll(sendAll(from % 5 == 0 ? List.of("/after/1000", "/after/1000") : List.of()));
      long start = System.nanoTime();
      List<Sent> sent = sendAll(paths("echo", 20));
      for (Sent call : sent) {
        call.reply()
            .whenComplete((reply, never) -> fast.add((System.nanoTime() - start) / 1_000_000));
      }
      // The next when half of them are answered, as other devices would.
      await()
          .pollDelay(1, TimeUnit.MILLISECONDS)
          .pollInterval(1, TimeUnit.MILLISECONDS)
          .until(() -> sent.stream().filter(call -> call.reply().isDone()).count() >= 10);
    }
    await().until(() -> fast.size() == 2_000);
    assertThat(slow).extracting(Sent::outcome).allMatch("200 late 1000"::equals);
    assertThat(fast).filteredOn(millis -> millis > 700).hasSizeLessThan(40);
  }

  @Test
  void shouldSendNothingBehindACallThatTakesLong() {
    showThatTheHandlerIsQuick();
    List<Sent> slow = sendAll(paths("never", Pipelining.CONNECTIONS));
    await().until(() -> handler.requests().size() == Pipelining.CONNECTIONS);
    await().pollDelay(20, TimeUnit.MILLISECONDS).until(() -> true);
    assertThat(sendAll(paths("echo", 20)))
        .extracting(Sent::outcome)
        .allMatch(outcome -> outcome.startsWith("200"));
    assertThat(slow).noneMatch(call -> call.reply().isDone());
  }

  @Test
  void shouldSendAnotherWhereNobodyListens() {
    handler.close();
    assertThat(sendAll(paths("echo", 3))).extracting(Sent::outcome).containsOnly("not delivered");
  }

  @Test
  void shouldTakeAConnectionThatWasClosedWhileIdleForNotDelivered() {
    assertThat(onLoop(() -> send("/echo/1")).outcome()).isEqualTo("200 echo 1");
    Sent sent =
        onLoop(
            () -> {
              // The loop does not get to see it before it writes.
              handler.connections().getFirst().close();
              await().until(() -> handler.connections().isEmpty());
              return send("/echo/2");
            });
    assertThat(sent.outcome()).isEqualTo("not delivered");
    assertThat(onLoop(() -> send("/echo/3")).outcome()).isEqualTo("200 echo 3");
  }

  /** They may have run. */
  @Test
  void shouldFailAllThatWereOnAConnectionThatTheHandlerCloses() {
    showThatTheHandlerIsQuick();
    List<Sent> sent = sendAll(paths("never", 100));
    await().until(() -> handler.requests().size() == 100);
    assertThat(handler.most()).isGreaterThan(1);
    handler.connections().forEach(NetSocket::close);
    assertThat(sent)
        .extracting(Sent::outcome)
        .containsOnly(
            "bad: the function's handler closed the connection before its answer was complete:"
                + " if it ended, GET /functions/NAME says how");
  }

  @Test
  void shouldFailWhatFollowsNonsense() {
    showThatTheHandlerIsQuick();
    List<String> paths = new ArrayList<>(paths("never", Pipelining.CONNECTIONS - 1));
    paths.add("/nonsense/0");
    List<Sent> sent = sendAll(paths);
    assertThat(sent.getLast().outcome())
        .isEqualTo(
            "bad: the function's handler gave no valid HTTP answer:"
                + " it does not begin with HTTP/1.1");
    assertThat(onLoop(() -> send("/echo/1")).outcome()).isEqualTo("200 echo 1");
  }

  @Test
  void shouldUseAConnectionNoMoreThatTheHandlerWillClose() {
    assertThat(onLoop(() -> send("/last/1")).outcome()).isEqualTo("200 1");
    await().until(() -> handler.connections().isEmpty());
    assertThat(onLoop(() -> send("/echo/1")).outcome()).isEqualTo("200 echo 1");
  }

  @Test
  void shouldGiveOthersTheirAnswersWhenOneIsCancelled() {
    showThatTheHandlerIsQuick();
    List<Sent> sent =
        onLoop(
            () -> {
              List<Sent> all = new ArrayList<>();
              for (int n = 0; n < 200; n++) {
                all.add(send(n % 10 == 0 ? "/after/50" : "/echo/" + n));
              }
              for (int n = 0; n < 200; n += 5) {
                assertThat(all.get(n).attempt().cancel()).isTrue();
                assertThat(all.get(n).attempt().cancel()).isFalse();
              }
              return all;
            });
    for (int n = 0; n < 200; n++) {
      if (n % 5 != 0) {
        assertThat(sent.get(n).outcome()).isEqualTo("200 echo " + n);
      }
    }
    assertThat(IntStream.range(0, 40).mapToObj(n -> sent.get(5 * n)))
        .noneMatch(call -> call.reply().isDone());
  }

  @Test
  void shouldCloseAConnectionOnceNobodyWaitsForIt() {
    showThatTheHandlerIsQuick();
    List<Sent> sent = sendAll(paths("never", 100));
    await().until(() -> handler.requests().size() == 100);
    onLoop(() -> sent.stream().filter(call -> call.attempt().cancel()).count());
    await().until(() -> handler.connections().isEmpty());
    assertThat(sent).noneMatch(call -> call.reply().isDone());
  }

  @Test
  void shouldSendTheRequestsOfOneTurnTogether() {
    showThatTheHandlerIsQuick();
    sendAll(paths("echo", 100)).forEach(Sent::outcome);
    int depth = onLoop(() -> client.pipelining().depth());
    List<Sent> sent = sendAll(paths("echo", 100));
    assertThat(sent)
        .extracting(Sent::outcome)
        .containsExactlyElementsOf(IntStream.range(0, 100).mapToObj(n -> "200 echo " + n).toList());
    assertThat(handler.most()).isGreaterThanOrEqualTo(Math.min(depth, 16) - 1);
    assertThat(handler.connections()).hasSizeLessThanOrEqualTo(Pipelining.CONNECTIONS);
  }

  @Test
  void shouldForgetWhatIsCancelledBeforeItIsSent() {
    List<Sent> sent = sendAll(paths("never", MAX_CONNECTIONS));
    await().until(() -> handler.requests().size() == MAX_CONNECTIONS);
    Sent waiting = onLoop(() -> send("/echo/1"));
    onLoop(waiting.attempt()::cancel);
    onLoop(sent.getFirst().attempt()::cancel);
    assertThat(onLoop(() -> send("/echo/2")).outcome()).isEqualTo("200 echo 2");
    assertThat(handler.requests()).doesNotContain("echo 1");
  }

  @Test
  void shouldRefuseAnAnswerThatIsTooLargeAndGiveOthersTheirs() {
    showThatTheHandlerIsQuick();
    List<String> paths = new ArrayList<>(paths("echo", 100));
    paths.set(3, "/size/" + (MAX_BODY + 1));
    paths.set(4, "/size/" + MAX_BODY);
    List<Sent> sent = sendAll(paths);
    assertThat(sent.get(3).outcome())
        .isEqualTo(
            "bad: the function's answer is larger than " + MAX_BODY + " bytes (TINYFAAS_MAX_BODY)");
    assertThat(sent.get(4).outcome()).hasSize(4 + MAX_BODY);
    for (int n = 5; n < 100; n++) {
      assertThat(sent.get(n).outcome()).isEqualTo("200 echo " + n);
    }
  }

  @Test
  void shouldNotTakeAnAnswerForWhichThereIsNoMemory() {
    assertThat(memory.take(MEMORY - 100)).isTrue();
    assertThat(onLoop(() -> send("/size/101")).outcome()).isEqualTo("overloaded");
    assertThat(onLoop(() -> send("/size/100")).outcome()).hasSize(104);
    memory.give(MEMORY - 100);
  }

  @Test
  void shouldSendALargeBodyOnAConnectionOfItsOwn() {
    showThatTheHandlerIsQuick();
    List<Sent> sent =
        onLoop(
            () -> {
              List<Sent> all = new ArrayList<>();
              for (int n = 0; n < 100; n++) {
                all.add(send("/echo/" + n, new byte[n % 10 == 0 ? MAX_BODY : 10]));
              }
              return all;
            });
    for (int n = 0; n < 100; n++) {
      assertThat(sent.get(n).outcome()).isEqualTo("200 echo " + n);
    }
  }

  @Test
  void shouldWriteNoHeaderThatIsTwo() {
    MultiMap headers = MultiMap.caseInsensitiveMultiMap().add("A", "b\r\nC: d");
    CompletableFuture<Reply> reply = new CompletableFuture<>();
    Sent sent =
        onLoop(
            () ->
                new Sent(
                    client.send(
                        new Invocation("f", Protocol.COAP, PEER, headers, new byte[0]),
                        reply::complete),
                    reply));
    assertThat(sent.outcome()).startsWith("bad: the gateway cannot write the request");
    assertThat(onLoop(() -> send("/echo/1")).outcome()).isEqualTo("200 echo 1");
    assertThat(handler.requests()).containsExactly("echo 1");
  }
}
