package io.tinyfaas.golden;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tinyfaas.harness.Eventually;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Replays a file of {@code contract/golden/handler/} against a handler that runs the file's
 * function. Its README tells the format.
 */
public final class GoldenExchanges {

  /** For an answer, or all that are asked for at once. */
  private static final Duration PATIENCE = Eventually.patient(Duration.ofSeconds(30));

  private static final int CHUNK = 1_000;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final JsonNode exchanges;

  private GoldenExchanges(JsonNode exchanges) {
    this.exchanges = exchanges;
  }

  public static GoldenExchanges in(Path file) throws IOException {
    return new GoldenExchanges(JSON.readTree(file.toFile()).required("exchanges"));
  }

  /**
   * @param handler a TCP or Unix socket address
   * @throws AssertionError that names the exchange with another answer than the golden one
   */
  public void replay(SocketAddress handler) throws Exception {
    // Reads on channels have no timeouts: each exchange is a task that can be given up.
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        Replay replay = new Replay(handler, threads)) {
      for (JsonNode exchange : exchanges) {
        switch (exchange.path("how").asText()) {
          case "pipelined" -> replay.pipelined(exchange);
          case "concurrent" -> replay.concurrent(exchange);
          default -> replay.inOrder(exchange);
        }
      }
    }
  }

  private static final class Replay implements AutoCloseable {
    private final SocketAddress handler;
    private final ExecutorService threads;

    /** Of the exchanges in order, as long as none closes it; null before the first. */
    private Connection kept;

    Replay(SocketAddress handler, ExecutorService threads) {
      this.handler = handler;
      this.threads = threads;
    }

    void pipelined(JsonNode exchange) throws Exception {
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      Connection connection = new Connection(handler);
      await(exchange, deadline, connection, threads.submit(() -> pipeline(exchange, connection)));
      connection.close();
    }

    void concurrent(JsonNode exchange) throws Exception {
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      Map<Connection, Future<?>> calls = new HashMap<>();
      for (int n = 0; n < times(exchange); n++) {
        int number = n;
        Connection connection = new Connection(handler);
        calls.put(connection, threads.submit(() -> exchange(exchange, number, connection)));
      }
      for (Map.Entry<Connection, Future<?>> call : calls.entrySet()) {
        await(exchange, deadline, call.getKey(), call.getValue());
        call.getKey().close();
      }
    }

    void inOrder(JsonNode exchange) throws Exception {
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      if (kept == null || !kept.channel.isOpen()) {
        kept = new Connection(handler);
      }
      Connection connection = kept;
      Future<?> done =
          threads.submit(
              () -> {
                for (int n = 0; n < times(exchange); n++) {
                  exchange(exchange, n, connection);
                }
                return null;
              });
      await(exchange, deadline, connection, done);
      if (exchange.path("closes").asBoolean()) {
        connection.close();
      }
    }

    @Override
    public void close() {
      if (kept != null) {
        kept.close();
      }
    }
  }

  private static void await(JsonNode exchange, long deadline, Connection connection, Future<?> done)
      throws Exception {
    String name = "\"" + exchange.required("name").asText() + "\"";
    try {
      done.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      connection.close();
      throw new AssertionError("no answer in time to " + name, e);
    } catch (ExecutionException e) {
      connection.close();
      throw new AssertionError(name + ": " + e.getCause().getMessage(), e.getCause());
    }
  }

  private static Void exchange(JsonNode exchange, int number, Connection connection)
      throws Exception {
    byte[] request = request(exchange.required("request"), number);
    boolean mayBeCutOff = exchange.path("closes").asBoolean();
    Thread sender = Thread.ofVirtual().start(() -> connection.send(request, mayBeCutOff));
    check(exchange, number, connection.read());
    if (!mayBeCutOff) {
      sender.join();
    }
    return null;
  }

  private static Void pipeline(JsonNode exchange, Connection connection) throws Exception {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (int n = 0; n < times(exchange); n++) {
      all.writeBytes(request(exchange.required("request"), n));
    }
    Thread.ofVirtual().start(() -> connection.send(all.toByteArray(), false));
    for (int n = 0; n < times(exchange); n++) {
      check(exchange, n, connection.read());
    }
    return null;
  }

  private static int times(JsonNode exchange) {
    return exchange.path("times").asInt(1);
  }

  private static byte[] request(JsonNode request, int number) {
    byte[] body = body(request.path("body"), number);
    boolean chunked = request.path("chunked").asBoolean();
    StringBuilder head = new StringBuilder();
    head.append(request.required("method").asText()).append(' ');
    head.append(request.required("target").asText()).append(" HTTP/1.1\r\nHost: handler\r\n");
    request
        .path("headers")
        .properties()
        .forEach(e -> head.append(e.getKey() + ": " + e.getValue().asText() + "\r\n"));
    head.append(chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + body.length);
    head.append("\r\n");
    fill(head, request.path("head"));
    head.append("\r\n");

    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(head.toString().getBytes(StandardCharsets.ISO_8859_1));
    if (!chunked) {
      bytes.writeBytes(body);
      return bytes.toByteArray();
    }
    for (int from = 0; from < body.length; from += CHUNK) {
      int size = Math.min(CHUNK, body.length - from);
      bytes.writeBytes(ascii(Integer.toHexString(size) + "\r\n"));
      bytes.write(body, from, size);
      bytes.writeBytes(ascii("\r\n"));
    }
    bytes.writeBytes(ascii("0\r\n\r\n"));
    return bytes.toByteArray();
  }

  /** With fields that say nothing, up to so many fields and bytes; the empty line counts. */
  private static void fill(StringBuilder head, JsonNode size) {
    int fields = size.path("fields").asInt();
    for (int more = fields - (int) head.chars().filter(c -> c == '\n').count() + 1; more > 0; more--) {
      String name = "X-Fill-" + more + ": ";
      int rest = size.path("bytes").asInt() - head.length() - name.length() - 4;
      head.append(name).append("x".repeat(more == 1 ? Math.max(0, rest) : 0)).append("\r\n");
    }
  }

  private static byte[] body(JsonNode body, int number) {
    if (body.has("base64")) {
      return Base64.getDecoder().decode(body.get("base64").asText());
    }
    String text = body.path("text").asText().replace("{n}", Integer.toString(number));
    return text.repeat(body.path("repeated").asInt(1)).getBytes(StandardCharsets.UTF_8);
  }

  private static void check(JsonNode exchange, int number, Answer answer) {
    JsonNode expected = exchange.required("response");
    String text = new String(answer.body, StandardCharsets.UTF_8);
    assertEquals(
        expected.required("status").asInt(),
        answer.status,
        () -> "status, with the body " + text.substring(0, Math.min(text.length(), 300)));
    expected
        .path("headers")
        .properties()
        .forEach(
            header ->
                assertEquals(
                    normal(header.getValue().asText()),
                    normal(
                        answer.headers.getOrDefault(header.getKey().toLowerCase(Locale.ROOT), "")),
                    "header " + header.getKey()));
    if (expected.has("bodyMatches")) {
      String pattern = expected.get("bodyMatches").asText();
      assertTrue(text.matches(pattern), () -> "the body should match " + pattern + ": " + text);
    }
    if (expected.has("body")) {
      byte[] body = body(expected.get("body"), number);
      assertTrue(
          Arrays.equals(body, answer.body),
          () ->
              "the body has "
                  + answer.body.length
                  + " bytes: "
                  + text.substring(0, Math.min(text.length(), 300)));
    }
  }

  private static String normal(String headerValue) {
    return headerValue.replaceAll("\\s", "").toLowerCase(Locale.ROOT);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private record Answer(int status, Map<String, String> headers, byte[] body) {}

  /** As much of an HTTP client as it takes to see the very bytes of a handler. */
  private static final class Connection {
    private final SocketChannel channel;
    private final ByteBuffer received = ByteBuffer.allocate(64 * 1024).flip();

    Connection(SocketAddress handler) throws IOException {
      channel = SocketChannel.open(handler);
      if (handler instanceof InetSocketAddress) {
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      }
    }

    void send(byte[] bytes, boolean mayBeCutOff) {
      try {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
          channel.write(buffer);
        }
      } catch (IOException e) {
        if (!mayBeCutOff) {
          close();
        }
      }
    }

    Answer read() throws IOException {
      String statusLine = readLine();
      int status = Integer.parseInt(statusLine.split(" ")[1]);
      Map<String, String> headers = new HashMap<>();
      for (String line = readLine(); !line.isEmpty(); line = readLine()) {
        int colon = line.indexOf(':');
        headers.put(
            line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
      }
      return new Answer(status, headers, readBody(headers));
    }

    private byte[] readBody(Map<String, String> headers) throws IOException {
      if (!"chunked".equalsIgnoreCase(headers.get("transfer-encoding"))) {
        return read(Integer.parseInt(headers.getOrDefault("content-length", "0")));
      }
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      List<byte[]> chunks = new ArrayList<>();
      do {
        chunks.add(read(Integer.parseInt(readLine(), 16)));
        readLine();
      } while (chunks.getLast().length > 0);
      chunks.forEach(body::writeBytes);
      return body.toByteArray();
    }

    private String readLine() throws IOException {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      for (byte b = read(1)[0]; b != '\n'; b = read(1)[0]) {
        line.write(b);
      }
      return line.toString(StandardCharsets.ISO_8859_1).strip();
    }

    private byte[] read(int length) throws IOException {
      byte[] bytes = new byte[length];
      int done = 0;
      while (done < length) {
        if (!received.hasRemaining()) {
          int count = channel.read(received.clear());
          received.flip();
          if (count < 0) {
            throw new EOFException("the handler closed the connection before it had answered");
          }
        }
        int some = Math.min(received.remaining(), length - done);
        received.get(bytes, done, some);
        done += some;
      }
      return bytes;
    }

    void close() {
      try {
        channel.close();
      } catch (IOException e) {
        // It is closed all the same.
      }
    }
  }
}
