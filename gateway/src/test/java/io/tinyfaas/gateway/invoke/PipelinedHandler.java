package io.tinyfaas.gateway.invoke;

import static io.tinyfaas.harness.Eventually.patient;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;
import io.vertx.core.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A handler that runs all the requests of a connection at once and answers them in their order, on
 * a Unix socket. Requests say by themselves what becomes of them, in {@code X-tinyFaaS-Path}.
 */
final class PipelinedHandler implements AutoCloseable {

  private static final Pattern REQUEST =
      Pattern.compile(
          "POST /fn HTTP/1\\.1\r\nX-tinyFaaS-Path: /(\\w+)/(\\d+)\r\nHost: localhost\r\n"
              + "Content-Length: (\\d+)\r\n\r\n");

  /** In the order of requests; null until it is known. */
  private record Slot(Buffer[] answer) {}

  private static final Duration START = Duration.ofSeconds(10);

  private final Vertx vertx;

  /** All of its connections are on it. */
  private final Context context;

  private final NetServer server;
  private final List<NetSocket> connections = new CopyOnWriteArrayList<>();
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final AtomicInteger heldUp = new AtomicInteger();

  /** Those of {@code held} that wait for {@link #letGo}. */
  private final List<Runnable> held = new ArrayList<>();

  private volatile int most;

  PipelinedHandler(Vertx vertx, Path socket) {
    this.vertx = vertx;
    context = vertx.getOrCreateContext();
    server = vertx.createNetServer().connectHandler(this::serve);
    CompletableFuture<NetServer> listening = new CompletableFuture<>();
    context.runOnContext(
        now ->
            server
                .listen(SocketAddress.domainSocketAddress(socket.toString()))
                .onSuccess(listening::complete)
                .onFailure(listening::completeExceptionally));
    listening.orTimeout(patient(START).toMillis(), TimeUnit.MILLISECONDS).join();
  }

  /** The connections that are open. */
  List<NetSocket> connections() {
    return connections;
  }

  /** What was asked for, in the order in which it came. */
  List<String> requests() {
    return requests;
  }

  /** The most requests that came together. */
  int most() {
    return most;
  }

  /** How many answers are there that have to wait for those of earlier requests. */
  int heldUp() {
    return heldUp.get();
  }

  /** Answers all of {@code held} that have come. */
  void letGo() {
    context.runOnContext(
        now -> {
          held.forEach(Runnable::run);
          held.clear();
        });
  }

  private void serve(NetSocket socket) {
    connections.add(socket);
    socket.closeHandler(closed -> connections.remove(socket));
    Buffer[] unread = {Buffer.buffer()};
    List<Slot> slots = new ArrayList<>();
    socket.handler(
        bytes -> {
          unread[0].appendBuffer(bytes);
          Matcher request = REQUEST.matcher(unread[0].toString(StandardCharsets.ISO_8859_1));
          int end = 0;
          int count = 0;
          while (request.find(end) && request.start() == end) {
            int body = Integer.parseInt(request.group(3));
            if (unread[0].length() < request.end() + body) {
              break;
            }
            end = request.end() + body;
            most = Math.max(most, ++count);
            run(socket, slots, request.group(1), Long.parseLong(request.group(2)));
          }
          unread[0] = unread[0].getBuffer(end, unread[0].length());
        });
  }

  private void run(NetSocket socket, List<Slot> slots, String what, long number) {
    requests.add(what + " " + number);
    Slot slot = new Slot(new Buffer[1]);
    slots.add(slot);
    switch (what) {
      case "never" -> {}
      case "held" -> held.add(() -> answer(socket, slots, slot, answer("held " + number)));
      case "after" ->
          vertx.setTimer(number, late -> answer(socket, slots, slot, answer("late " + number)));
      case "vanish" -> socket.close();
      case "nonsense" -> answer(socket, slots, slot, Buffer.buffer("nonsense\r\n\r\n"));
      case "size" -> answer(socket, slots, slot, answer("x".repeat((int) number)));
      case "last" ->
          answer(
              socket,
              slots,
              slot,
              Buffer.buffer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1"));
      default -> answer(socket, slots, slot, answer(what + " " + number));
    }
  }

  private static Buffer answer(String body) {
    return Buffer.buffer("HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
  }

  private void answer(NetSocket socket, List<Slot> slots, Slot slot, Buffer answer) {
    slot.answer()[0] = answer;
    heldUp.incrementAndGet();
    while (!slots.isEmpty() && slots.getFirst().answer()[0] != null) {
      heldUp.decrementAndGet();
      socket.write(slots.removeFirst().answer()[0]);
    }
  }

  @Override
  public void close() {
    server.close().toCompletionStage().toCompletableFuture().join();
    connections.forEach(NetSocket::close);
  }
}
