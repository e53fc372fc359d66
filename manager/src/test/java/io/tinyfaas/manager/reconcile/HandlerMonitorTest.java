package io.tinyfaas.manager.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.manager.handler.HandlerContainer;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HandlerMonitorTest {

  private final Vertx vertx = Vertx.vertx();
  private final HandlerMonitor monitor = new HandlerMonitor(null, null, null, null, vertx);
  private final List<Socket> questions = new CopyOnWriteArrayList<>();
  private ServerSocket listening;

  @BeforeEach
  void listen() throws IOException {
    listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  }

  @AfterEach
  void close() throws Exception {
    listening.close();
    for (Socket question : questions) {
      question.close();
    }
    vertx.close().toCompletionStage().toCompletableFuture().get();
  }

  private HandlerContainer handler() {
    HandlerEndpoint endpoint = new HandlerEndpoint.Tcp("127.0.0.1", listening.getLocalPort());
    HandlerContainer handler =
        new HandlerContainer(
            "container", new FunctionName("busy"), new Handler("h1", endpoint), "1", "running");
    monitor.of(handler).answered();
    return handler;
  }

  private static long inAnHour() {
    return System.nanoTime() + TimeUnit.HOURS.toNanos(1);
  }

  /** Who does not answer the first question is only busy. */
  private void answerAllButTheFirst() {
    try {
      while (true) {
        Socket question = listening.accept();
        questions.add(question);
        if (questions.size() > 1) {
          question
              .getOutputStream()
              .write(
                  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
                      .getBytes(StandardCharsets.US_ASCII));
        }
      }
    } catch (IOException e) {
      // closed
    }
  }

  @Test
  void shouldAskABusyHandlerAgainBeforeTheDeadline() {
    Thread.ofVirtual().start(this::answerAllButTheFirst);

    assertThat(monitor.answers(handler(), inAnHour())).isTrue();

    assertThat(questions).hasSizeGreaterThan(1);
  }

  @Test
  void shouldAskABusyHandlerOnceAfterTheDeadline() {
    Thread.ofVirtual().start(this::answerAllButTheFirst);

    assertThat(monitor.answers(handler(), System.nanoTime())).isFalse();
  }

  @Test
  void shouldNotWaitForAHandlerThatDoesNotListen() throws IOException {
    HandlerContainer handler = handler();
    listening.close();

    assertThat(monitor.answers(handler, inAnHour())).isFalse();
  }
}
