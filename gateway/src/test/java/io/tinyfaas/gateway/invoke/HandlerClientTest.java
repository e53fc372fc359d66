package io.tinyfaas.gateway.invoke;

import static io.tinyfaas.harness.Eventually.eventually;
import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.unix.DomainSocketAddress;
import io.tinyfaas.gateway.ingress.Protocol;
import io.tinyfaas.gateway.invoke.Attempt.Reply;
import io.tinyfaas.gateway.invoke.InvocationResult.Answered;
import io.tinyfaas.gateway.invoke.InvocationResult.BadAnswer;
import io.tinyfaas.gateway.invoke.InvocationResult.Overloaded;
import io.tinyfaas.gateway.loop.EventLoops;
import io.tinyfaas.gateway.loop.InvocationLoop;
import io.tinyfaas.gateway.memory.BodyMemory;
import io.tinyfaas.gateway.memory.Places;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.net.NetSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One handler's connections, with a handler that does with them what handlers may do. For the
 * client no time passes but what a test lets pass, so that a handler is quick on any machine.
 */
class HandlerClientTest {

  private static final InetAddress PEER = InetAddress.ofLiteral("192.0.2.1");
  private static final InetAddress OTHER_PEER = InetAddress.ofLiteral("192.0.2.2");
  private static final int MAX_BODY = 64 * 1_024;
  private static final int MAX_CONNECTIONS = 64;
  private static final long MEMORY = 2L * MAX_BODY;
  private static final Duration ANSWER = Duration.ofSeconds(20);

  @TempDir private Path folder;
  private final Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));

  /** With loops of its own, since some tests hold up the client's. */
  private final Vertx handlerVertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));

  private final InvocationLoop loop = new InvocationLoop(new EventLoops(vertx));
  private final BodyMemory memory = new BodyMemory(MEMORY);
  private final AtomicLong nanos = new AtomicLong();
  private Path socket;
  private PipelinedHandler handler;
  private HandlerClient client;

  @BeforeEach
  void start() {
    socket = folder.resolve("http.sock");
    handler = new PipelinedHandler(handlerVertx, socket);
    client =
        new HandlerClient(
            loop,
            new DomainSocketAddress(socket.toFile()),
            MAX_BODY,
            MAX_CONNECTIONS,
            new Places<>(2 * MAX_CONNECTIONS),
            nanos::get);
  }

  @AfterEach
  void stop() {
    client.close();
    handler.close();
    vertx.close().toCompletionStage().toCompletableFuture().join();
    handlerVertx.close().toCompletionStage().toCompletableFuture().join();
    assertThat(memory.take(MEMORY)).as("all memory is given back").isTrue();
  }

  private record Waiting(BodyMemory memory, CompletableFuture<Reply> reply)
      implements Attempt.Receiver {

    @Override
    public void replied(Reply is) {
      reply.complete(is);
    }

    @Override
    public boolean take(long bytes) {
      return memory.take(bytes);
    }

    @Override
    public void give(long bytes) {
      memory.give(bytes);
    }
  }

  private record Sent(Attempt attempt, CompletableFuture<Reply> reply) {

    /** Status and body, or what it is instead. */
    String outcome() {
      return switch (within(reply)) {
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
    return within(done);
  }

  private static <T> T within(CompletableFuture<T> result) {
    // Not of the result itself: whether that is there, tests ask.
    return result.copy().orTimeout(patient(ANSWER).toMillis(), TimeUnit.MILLISECONDS).join();
  }

  private void pass(Duration time) {
    nanos.addAndGet(time.toNanos());
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
        client.send(
            new Invocation("f", Protocol.COAP, peer, headers, body), new Waiting(memory, reply));
    return new Sent(attempt, reply);
  }

  /** As many calls as there may be connections, each of another peer, none of which is answered. */
  private List<Sent> takeAllConnections() {
    List<Sent> sent =
        onLoop(
            () ->
                IntStream.range(0, MAX_CONNECTIONS)
                    .mapToObj(n -> InetAddress.ofLiteral("198.51.100." + n))
                    .map(peer -> send(peer, "/never/0", new byte[0]))
                    .toList());
    eventually().until(() -> handler.requests().size() == MAX_CONNECTIONS);
    return sent;
  }

  private List<Sent> sendAll(List<String> paths) {
    return onLoop(() -> paths.stream().map(this::send).toList());
  }

  private static List<String> paths(String what, int count) {
    return IntStream.range(0, count).mapToObj(n -> "/" + what + "/" + n).toList();
  }

  /** So that its connections are shared. */
  private void showThatTheHandlerIsQuick() {
    for (int i = 0; i < 256; i++) {
      assertThat(onLoop(() -> send("/echo/0")).outcome()).isEqualTo("200 echo 0");
    }
    assertThat(onLoop(() -> client.pipelining().depth())).isEqualTo(32);
    handler.requests().clear();
  }

  @Test
  void shouldSendOneCallPerConnectionToAHandlerItDoesNotKnow() {
    List<Sent> sent = sendAll(paths("echo", 100));
    assertThat(sent)
        .extracting(Sent::outcome)
        .containsExactlyElementsOf(IntStream.range(0, 100).mapToObj(n -> "200 echo " + n).toList());
    assertThat(handler.most()).isEqualTo(1);
    eventually().until(() -> handler.connections().size() == MAX_CONNECTIONS);
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
  void shouldLeaveConnectionsToPeersThatHaveNone() {
    int ofOne = MAX_CONNECTIONS - MAX_CONNECTIONS / 8;
    List<Sent> greedy = sendAll(paths("never", 140));
    eventually().until(() -> handler.requests().size() == ofOne);

    assertThat(onLoop(() -> send(OTHER_PEER, "/echo/1", new byte[0])).outcome())
        .isEqualTo("200 echo 1");
    onLoop(() -> send(OTHER_PEER, "/never/0", new byte[0]));
    Sent second = onLoop(() -> send(OTHER_PEER, "/echo/2", new byte[0]));
    InetAddress third = InetAddress.ofLiteral("192.0.2.3");
    assertThat(onLoop(() -> send(third, "/echo/3", new byte[0])).outcome()).isEqualTo("200 echo 3");
    assertThat(second.reply()).as("behind its own").isNotDone();
    assertThat(handler.requests()).hasSize(ofOne + 3).doesNotContain("echo 2");

    onLoop(() -> greedy.stream().limit(10).filter(call -> call.attempt().cancel()).count());
    assertThat(second.outcome()).isEqualTo("200 echo 2");
    eventually().until(() -> handler.requests().contains("never " + ofOne));
  }

  @Test
  void shouldForgetWhatIsCalledOffWhileItWaits() {
    List<Sent> first = takeAllConnections();
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
   * Fast calls, one after the other, beside slow ones, which take a second: at most those are held
   * up that were behind the first slow ones, before the handler was known to be one of this kind.
   */
  @Test
  void shouldNotLetSlowCallsHoldUpFastOnes() {
    showThatTheHandlerIsQuick();
    List<Sent> fast = new ArrayList<>();
    List<Sent> slow = new ArrayList<>();
    int heldUp = 0;
    for (int round = 0; round < 100; round++) {
      if (round % 5 == 0) {
        handler.letGo();
        assertThat(slow).extracting(Sent::outcome).allMatch("200 held 0"::equals);
        assertThat(fast).extracting(Sent::outcome).allMatch(outcome -> outcome.startsWith("200"));
        slow.addAll(sendAll(List.of("/held/0", "/held/0")));
      }
      int before = handler.heldUp();
      List<Sent> sent = sendAll(paths("echo", 20));
      fast.addAll(sent);
      eventually()
          .pollInterval(1, TimeUnit.MILLISECONDS)
          .until(() -> answered(fast) + handler.heldUp() == fast.size());
      heldUp += handler.heldUp() - before;
      pass(Duration.ofMillis(200));
    }
    assertThat(heldUp).isLessThan(40);
  }

  private static long answered(List<Sent> calls) {
    return calls.stream().filter(call -> call.reply().isDone()).count();
  }

  @Test
  void shouldSendNothingBehindACallThatTakesLong() {
    showThatTheHandlerIsQuick();
    List<Sent> slow = sendAll(paths("never", Pipelining.CONNECTIONS));
    eventually().until(() -> handler.requests().size() == Pipelining.CONNECTIONS);
    pass(Duration.ofNanos(Pipelining.SLOW_NANOS + 1));
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
              eventually().until(() -> handler.connections().isEmpty());
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
    eventually().until(() -> handler.requests().size() == 100);
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
    eventually().until(() -> handler.connections().isEmpty());
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
    eventually().until(() -> handler.requests().size() == 100);
    onLoop(() -> sent.stream().filter(call -> call.attempt().cancel()).count());
    eventually().until(() -> handler.connections().isEmpty());
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
    List<Sent> sent = takeAllConnections();
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
                        new Waiting(memory, reply)),
                    reply));
    assertThat(sent.outcome()).isEqualTo("bad_request");
    assertThat(onLoop(() -> send("/echo/1")).outcome()).isEqualTo("200 echo 1");
    assertThat(handler.requests()).containsExactly("echo 1");
  }
}
