package io.tinyfaas.gateway;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** A connection of a function to its socket, on which a test writes what it likes. */
final class FunctionSocketClient implements AutoCloseable {

  private final SocketChannel channel;

  FunctionSocketClient(Path socket) throws IOException {
    channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(socket));
  }

  /** What came back. */
  record Answer(int status, String head, String body) {

    Optional<String> header(String name) {
      return head.lines()
          .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(name.toLowerCase() + ":"))
          .map(line -> line.substring(name.length() + 1).strip())
          .findFirst();
    }

    String detail() {
      return new JsonObject(body).getString("detail");
    }

    String type() {
      return new JsonObject(body).getString("type").replace("urn:tinyfaas:problem:", "");
    }
  }

  /**
   * One request on a connection of its own.
   *
   * @param fields lines, each {@code Name: value}
   */
  static Answer ask(Path socket, String method, String target, String body, String... fields) {
    try (FunctionSocketClient client = new FunctionSocketClient(socket)) {
      return client.send(method, target, body, fields).answer();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  FunctionSocketClient send(String method, String target, String body, String... fields)
      throws IOException {
    return send(
        method
            + ' '
            + target
            + " HTTP/1.1\r\nHost: box\r\nConnection: close\r\nContent-Length: "
            + body.length()
            + "\r\n"
            + (fields.length == 0 ? "" : String.join("\r\n", fields) + "\r\n")
            + "\r\n"
            + body);
  }

  FunctionSocketClient send(String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(ISO_8859_1));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    return this;
  }

  /** Until the gateway closes the connection; empty where it says nothing. */
  String readAll() throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    ByteBuffer bytes = ByteBuffer.allocate(8 * 1_024);
    try {
      while (channel.read(bytes) >= 0) {
        all.write(bytes.array(), 0, bytes.position());
        bytes.clear();
      }
    } catch (IOException e) {
      // closed while this side was still sending
    }
    return all.toString(ISO_8859_1);
  }

  Answer answer() throws IOException {
    String whole = readAll();
    int end = whole.indexOf("\r\n\r\n");
    if (end < 0) {
      throw new AssertionError("no answer: " + whole);
    }
    return new Answer(
        Integer.parseInt(whole.substring(9, 12)),
        whole.substring(0, end),
        whole.substring(end + 4));
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
