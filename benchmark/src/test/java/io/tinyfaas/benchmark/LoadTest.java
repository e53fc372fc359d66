package io.tinyfaas.benchmark;

import static io.tinyfaas.harness.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.tinyfaas.harness.Eventually;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LoadTest {

  /** What is to succeed does so within this on any machine. */
  private static final Duration PATIENCE = Eventually.patient(Duration.ofSeconds(30));

  private static final Load.Rules RULES = ofGet(PATIENCE, Duration.ZERO);
  private static final Load.Rules IMPATIENT = ofGet(Duration.ofMillis(100), Duration.ZERO);

  private static Load.Rules ofGet(Duration timeout, Duration retransmitAfter) {
    return new Load.Rules(timeout, retransmitAfter, OptionalInt.empty(), false);
  }

  @Test
  void shouldCountEachOperationOfEachClientOnce() throws Exception {
    try (UdpEcho echo = new UdpEcho()) {
      long start = System.nanoTime();
      Outcome outcome = new CoapLoad(echo.uri(), RULES).run(64, 50);
      double millis = (System.nanoTime() - start) / 1e6;
      assertThat(outcome.succeeded()).isEqualTo(64 * 50);
      assertThat(outcome.failed()).isZero();
      assertThat(outcome.percentile(50).orElseThrow()).isBetween(0.001, millis);
    }
  }

  @Test
  void shouldAcknowledgeSeparateResponses() throws Exception {
    Set<Short> acknowledged = ConcurrentHashMap.newKeySet();
    try (Server server =
        new Server(
            (message, reply) -> {
              if (CoapMessage.type(message) == CoapMessage.ACK) {
                acknowledged.add(CoapMessage.id(message));
                return;
              }
              short id = CoapMessage.id(message);
              reply.send(CoapMessage.empty(ByteBuffer.allocate(4), CoapMessage.ACK, id));
              ByteBuffer response = response(message, CoapMessage.CON, (short) (id + 1));
              reply.send(response);
              // Twice, as when the acknowledgement was lost: acknowledged again, counted once.
              reply.send(response.rewind());
            })) {
      Outcome outcome = new CoapLoad(server.uri(), RULES).run(1, 5);
      assertThat(outcome.succeeded()).isEqualTo(5);
      eventually().untilAsserted(() -> assertThat(acknowledged).hasSize(5));
    }
  }

  @Test
  void shouldFailOperationsWithoutAnAnswerOfTheirOwnInTime() throws Exception {
    try (Server server =
        new Server(
            (message, reply) -> {
              ByteBuffer other = response(message, CoapMessage.ACK, CoapMessage.id(message));
              reply.send(other.putLong(4, ~other.getLong(4)));
            })) {
      Outcome outcome = new CoapLoad(server.uri(), IMPATIENT).run(4, 2);
      assertThat(outcome.timeouts()).isEqualTo(8);
      assertThat(outcome.percentile(50)).isEmpty();
    }
  }

  @Test
  void shouldFailOperationsAnsweredByAnotherCode() throws Exception {
    try (Server server =
        new Server(
            (message, reply) ->
                reply.send(
                    response(message, CoapMessage.ACK, CoapMessage.id(message))
                        .put(1, (byte) (5 << 5 | 3))))) {
      assertThat(new CoapLoad(server.uri(), RULES).run(2, 3).wrongAnswers()).isEqualTo(6);
    }
  }

  @Test
  void shouldSendTheSameMessageAgainOnlyWhenAsked() throws Exception {
    Set<Short> seen = new HashSet<>();
    try (Server server =
        new Server(
            (message, reply) -> {
              if (!seen.add(CoapMessage.id(message))) {
                reply.send(response(message, CoapMessage.ACK, CoapMessage.id(message)));
              }
            })) {
      assertThat(new CoapLoad(server.uri(), IMPATIENT).run(1, 2).timeouts()).isEqualTo(2);
      Load.Rules retransmitting = ofGet(PATIENCE, Duration.ofMillis(20));
      assertThat(new CoapLoad(server.uri(), retransmitting).run(1, 2).succeeded()).isEqualTo(2);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1024, 1025, 66_000})
  void shouldTakeBackWhatItSentBlockByBlock(int length) throws Exception {
    ByteBuffer body = ByteBuffer.allocate(length);
    try (Server server = new Server((message, reply) -> reply.send(blockOfEcho(message, body)))) {
      Load.Rules rules = new Load.Rules(PATIENCE, Duration.ZERO, OptionalInt.of(length), false);
      assertThat(new CoapLoad(server.uri(), rules).run(1, 3).succeeded()).isEqualTo(3);
      assertThat(body.array()).isEqualTo(BlockTransfer.body(length));
    }
  }

  @Test
  void shouldFailATransferThatBringsBackSomethingElse() throws Exception {
    ByteBuffer body = ByteBuffer.allocate(3_000);
    Behaviour odd =
        (message, reply) -> reply.send(blockOfEcho(message, body.put(2_500, (byte) 'X')));
    try (Server server = new Server(odd)) {
      Load.Rules rules = new Load.Rules(PATIENCE, Duration.ZERO, OptionalInt.of(3_000), false);
      assertThat(new CoapLoad(server.uri(), rules).run(1, 2).wrongAnswers()).isEqualTo(2);
    }
  }

  @Test
  void shouldMeasureHttpToo() throws Exception {
    AtomicInteger requests = new AtomicInteger();
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          byte[] body = (requests.incrementAndGet() == 10 ? "odd" : "same").getBytes();
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    try {
      URI uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/sieve");
      Outcome outcome = new HttpLoad(uri, RULES).run(4, 10);
      assertThat(outcome.succeeded()).isEqualTo(39);
      assertThat(outcome.wrongAnswers()).isEqualTo(1);
    } finally {
      server.stop(0);
    }
  }

  @Test
  void shouldWriteTablesRawDataAndCharts(@TempDir Path results) throws Exception {
    try (UdpEcho echo = new UdpEcho()) {
      Benchmark.main(
          new String[] {
            "--clients",
            "1,4",
            "--operations",
            "20",
            "--warm-up",
            "0",
            "--timeout",
            Long.toString(PATIENCE.toMillis()),
            "--process",
            "native-node:server=" + ProcessHandle.current().pid(),
            "--results",
            results.toString(),
            "other=" + echo.uri(),
            "native-node=" + echo.uri()
          });
    }
    assertThat(results.resolve("summary.md"))
        .content()
        .contains("| 4       | native-node |", "against native-node", "0 failed.");
    assertThat(Files.readAllLines(results.resolve("runs.csv"))).hasSize(1 + 2 * 3 * 3);
    assertThat(results.resolve("latencies.csv")).isNotEmptyFile();
    assertThat(results.resolve("latency-4.svg")).content().contains("other, 100.00 % succeeded");
  }

  /** What a server of blocks of 1,024 bytes answers, which echoes what it has assembled. */
  private static ByteBuffer blockOfEcho(ByteBuffer request, ByteBuffer body) {
    int block1 = CoapMessage.uint(request, CoapMessage.BLOCK1);
    int block2 = CoapMessage.uint(request, CoapMessage.BLOCK2);
    CoapMessage.seekPayload(request);
    body.put(Math.max(0, block1 >> 4) * 1024, request, request.position(), request.remaining());
    ByteBuffer answer = ByteBuffer.allocate(2_048);
    answer.put(response(request, CoapMessage.ACK, CoapMessage.id(request)));
    boolean goesOn = block1 >= 0 && (block1 & 8) != 0;
    answer.put(1, (byte) (goesOn ? CoapMessage.CONTINUE : CoapMessage.CHANGED));
    if (!goesOn) {
      int number = Math.max(0, block2 >> 4);
      int rest = body.capacity() - number * 1024;
      // Block2, in a delta of 13 and more, with a value of two bytes
      answer.put(new byte[] {(byte) 0xD2, (byte) (CoapMessage.BLOCK2 - 13)});
      answer.putShort((short) (number << 4 | (rest > 1024 ? 8 : 0) | 6)).put((byte) 0xFF);
      answer.put(body.duplicate().clear().slice(number * 1024, Math.min(1024, rest)));
    }
    return answer.flip();
  }

  private static ByteBuffer response(ByteBuffer request, int type, short id) {
    ByteBuffer response = ByteBuffer.allocate(4 + CoapMessage.TOKEN_LENGTH);
    response.put((byte) (1 << 6 | type << 4 | CoapMessage.TOKEN_LENGTH));
    response.put((byte) CoapMessage.CONTENT).putShort(id).putLong(request.getLong(4));
    return response.flip();
  }

  private interface Reply {
    void send(ByteBuffer message) throws IOException;
  }

  private interface Behaviour {
    void receive(ByteBuffer message, Reply reply) throws IOException;
  }

  /** A peer on a real socket. */
  private static final class Server implements AutoCloseable {
    private final DatagramChannel channel = DatagramChannel.open();
    private final Thread thread;

    Server(Behaviour behaviour) throws IOException {
      channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      thread =
          Thread.ofPlatform()
              .start(
                  () -> {
                    ByteBuffer message = ByteBuffer.allocate(2_048);
                    try {
                      while (true) {
                        SocketAddress peer = channel.receive(message.clear());
                        message.flip();
                        behaviour.receive(message, reply -> channel.send(reply, peer));
                      }
                    } catch (ClosedChannelException e) {
                      // close() ends it.
                    } catch (IOException e) {
                      throw new IllegalStateException(e);
                    }
                  });
    }

    URI uri() throws IOException {
      int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
      return URI.create("coap://127.0.0.1:" + port + "/a/path?and=query");
    }

    @Override
    public void close() throws IOException {
      channel.close();
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
